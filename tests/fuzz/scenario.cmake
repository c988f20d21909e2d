# The reader under libFuzzer. Corpus: the shipped files and what broke it once.
#   ./fuzz_scenario NEW_CORPUS tests/fuzz/corpus/scenario scenarios scenarios/topologies -max_len=8192
if(BASCULE_FUZZ)
  add_executable(fuzz_scenario ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/fuzz_scenario.c)
  target_link_libraries(fuzz_scenario PRIVATE bascule_injector bascule_scenario)
  target_link_options(fuzz_scenario PRIVATE -fsanitize=fuzzer)
endif()
