unit_test(test_story SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_story.c NEEDS story measure)
