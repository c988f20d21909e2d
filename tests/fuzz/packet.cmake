# Frames through the link shaper under libFuzzer.
if(BASCULE_FUZZ)
  add_executable(fuzz_packet ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/fuzz_packet.c)
  target_link_libraries(fuzz_packet PRIVATE bascule_shaper -fsanitize=fuzzer)
  set_target_properties(fuzz_packet PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fuzz)
endif()
