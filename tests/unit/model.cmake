unit_test(test_model SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_model.c ${CMAKE_CURRENT_SOURCE_DIR}/engine/events.c NEEDS model)
