unit_test(test_stack_start
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_stack_start.c ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_stack_lab.c
  NEEDS stack node sandbox PkgConfig::PQ
  LABEL sandbox)
