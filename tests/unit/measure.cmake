unit_test(test_measure SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_world.c
          NEEDS measure)
unit_test(test_measure_checks SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_checks.c
          ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_world.c NEEDS measure)
unit_test(test_measure_contents SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_contents.c
          ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_world.c NEEDS measure)
unit_test(test_laws SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_laws.c NEEDS measure base)
