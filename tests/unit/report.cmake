unit_test(test_report SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_report.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_world.c
          NEEDS report)
unit_test(test_sentence SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_sentence.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_world.c
          NEEDS report)
unit_test(test_farewell SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_farewell.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_world.c
          NEEDS report)
unit_test(test_compare SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_compare.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_measure_world.c
          NEEDS report)
