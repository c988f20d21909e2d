unit_test(test_client SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_client.c NEEDS cmd)
unit_test(test_stacks SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_stacks.c NEEDS cmd)
unit_test(test_result SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_result.c NEEDS cmd)
unit_test(test_status_nodes SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_status_nodes.c NEEDS cmd)
