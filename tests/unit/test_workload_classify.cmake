unit_test(test_workload_classify SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_workload_classify.c NEEDS workload)
