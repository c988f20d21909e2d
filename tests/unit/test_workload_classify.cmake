unit_test(test_workload_classify SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_workload_classify.c NEEDS workload)
unit_test(test_workload_report SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_workload_report.c NEEDS workload)
