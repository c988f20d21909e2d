unit_test(test_stack_conf SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_stack_conf.c NEEDS stack)
unit_test(test_stack_template SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_stack_template.c NEEDS stack)
unit_test(test_stack_versions SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_stack_versions.c NEEDS stack)
unit_test(test_stack_order SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_stack_order.c NEEDS stack)
