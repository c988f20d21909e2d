unit_test(test_random SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_random.c NEEDS injector scenario base)
