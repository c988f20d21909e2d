unit_test(test_room SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_room.c NEEDS supervisor)
