unit_test(test_screen SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/screen/test_screen.c ${CMAKE_CURRENT_SOURCE_DIR}/screen/player.c
          ${CMAKE_CURRENT_SOURCE_DIR}/fake/kind.c ${CMAKE_CURRENT_SOURCE_DIR}/fake/system.c ${CMAKE_CURRENT_SOURCE_DIR}/fake/run.c
          NEEDS dashboard LABEL screen)
unit_test(test_screen_fuzz SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/screen/test_screen_fuzz.c ${CMAKE_CURRENT_SOURCE_DIR}/screen/player.c NEEDS dashboard
          LABEL screen)
