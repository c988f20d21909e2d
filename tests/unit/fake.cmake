# A stack that is in no program: its list of systems is linked instead of the program's.
set(fake ${CMAKE_CURRENT_SOURCE_DIR}/fake/kind.c ${CMAKE_CURRENT_SOURCE_DIR}/fake/system.c ${CMAKE_CURRENT_SOURCE_DIR}/fake/run.c)
unit_test(test_fake_stack SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_fake_stack.c ${CMAKE_CURRENT_SOURCE_DIR}/engine/events.c ${fake}
          NEEDS report proof)
