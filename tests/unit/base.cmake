unit_test(test_rate SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rate.c NEEDS base)
unit_test(test_plain SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_plain.c NEEDS base)
unit_test(test_str SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_str.c NEEDS record base)
unit_test(test_usec SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_usec.c NEEDS base)
