unit_test(test_html SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/report/test_html.c NEEDS report)
