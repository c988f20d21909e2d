# The engine against a fake world: no daemon, no clock, no root.
set(engine_world ${CMAKE_CURRENT_LIST_DIR}/world.c ${CMAKE_CURRENT_LIST_DIR}/plans.c ${CMAKE_CURRENT_LIST_DIR}/events.c)
foreach(name test_engine test_engine_answers test_condition test_target test_hold test_engine_unwatched)
  unit_test(${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c ${engine_world} NEEDS engine LABEL engine)
endforeach()
# With a stack of their own beside Patroni (tests/fake/).
foreach(name test_engine_fake test_engine_property)
  unit_test(${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c ${engine_world} ${CMAKE_CURRENT_SOURCE_DIR}/fake/kind.c NEEDS engine LABEL engine)
endforeach()
