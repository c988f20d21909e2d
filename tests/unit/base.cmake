unit_test(test_rate SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rate.c NEEDS base)
