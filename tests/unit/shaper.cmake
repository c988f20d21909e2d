unit_test(test_shaper LABEL unit
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_shaper.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/frames.c
  NEEDS shaper base)
unit_test(test_shaper_packet LABEL unit
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_shaper_packet.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/frames.c
  NEEDS shaper base)
