unit_test(test_scenario SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_scenario.c NEEDS injector scenario LABEL unit)
unit_test(test_scenario_bad SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_scenario_bad.c NEEDS scenario LABEL unit)
unit_test(test_scenario_mutate SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_scenario_mutate.c NEEDS injector scenario LABEL unit)
