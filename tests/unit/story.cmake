set(story_teller ${CMAKE_CURRENT_LIST_DIR}/test_story_teller.c)
unit_test(test_story SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_story.c ${story_teller} NEEDS story)
unit_test(test_story_cluster SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_story_cluster.c ${story_teller} NEEDS story measure)
