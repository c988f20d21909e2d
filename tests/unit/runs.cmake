unit_test(test_runs SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_runs.c NEEDS runs)
