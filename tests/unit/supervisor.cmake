unit_test(test_room SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_room.c NEEDS supervisor)
unit_test(test_control SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_control.c NEEDS supervisor)
