unit_test(test_image SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_image.c NEEDS image)
unit_test(test_image_sources SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_image_sources.c NEEDS image)
