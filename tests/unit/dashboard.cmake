unit_test(test_canvas SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_canvas.c NEEDS dashboard)
unit_test(test_history SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_history.c NEEDS dashboard)
unit_test(test_history_phase SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_history_phase.c NEEDS dashboard measure)
unit_test(test_theme SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_theme.c NEEDS dashboard)
