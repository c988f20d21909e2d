unit_test(test_client SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_client.c NEEDS cmd)
