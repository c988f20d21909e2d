unit_test(test_workload LABEL sandbox
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_workload.c ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_observe_pg.c
  NEEDS workload record base)
