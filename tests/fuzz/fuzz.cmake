# fuzz_target(NAME NEEDS rooms... [SOURCES more.c...]): tests/fuzz/fuzz_NAME.c, built twice over. With -DBASCULE_FUZZ=ON (clang) it is a
# libFuzzer program; in every other build a test that gives it each file of tests/fuzz/corpus/NAME, where what was found once is kept,
# and of the folders named by SEEDS.
function(fuzz_target name)
  cmake_parse_arguments(FT "" "" "NEEDS;SOURCES;SEEDS" ${ARGN})
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/fuzz)
  list(TRANSFORM FT_SOURCES PREPEND ${folder}/)
  list(APPEND FT_SOURCES ${folder}/fuzz_${name}.c)
  list(TRANSFORM FT_SEEDS REPLACE "^corpus/" "tests/fuzz/corpus/")
  list(JOIN FT_SEEDS " " seeds)
  if(BASCULE_FUZZ)
    add_executable(fuzz_${name} ${FT_SOURCES})
    list(TRANSFORM FT_NEEDS PREPEND bascule_)
    target_link_libraries(fuzz_${name} PRIVATE ${FT_NEEDS} -fsanitize=fuzzer)
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fuzz)
    file(WRITE ${CMAKE_BINARY_DIR}/tests/fuzz/${name}.seeds "tests/fuzz/corpus/${name} ${seeds}\n") # for tools/fuzz
  else()
    unit_test(fuzz_${name} SOURCES ${folder}/replay.c ${FT_SOURCES} NEEDS ${FT_NEEDS} LABEL fuzz)
    target_compile_definitions(fuzz_${name} PRIVATE CORPUS="tests/fuzz/corpus/${name} ${seeds}")
  endif()
endfunction()

fuzz_target(event NEEDS record)
fuzz_target(packet NEEDS shaper)
fuzz_target(scenario NEEDS injector scenario SEEDS scenarios scenarios/topologies)
# Folds and printers of a log, which know the stack of tests/fake/ beside Patroni. corpus/log: recorded logs, thinned out, for all of them.
set(fake ../fake/kind.c ../fake/system.c)
fuzz_target(log SOURCES log_input.c ${fake} NEEDS report model SEEDS corpus/log)
fuzz_target(thin SOURCES log_input.c ../fake/kind.c NEEDS model SEEDS corpus/log)
fuzz_target(measure SOURCES log_input.c ${fake} NEEDS report proof SEEDS corpus/log)
fuzz_target(page SOURCES log_input.c ${fake} NEEDS report SEEDS corpus/log)
fuzz_target(dashboard SOURCES log_input.c ../screen/player.c ${fake} NEEDS dashboard SEEDS corpus/log)
fuzz_target(replay SOURCES log_input.c ${fake} NEEDS dashboard SEEDS corpus/log)
# Small readers of outside bytes, several to a program.
fuzz_target(answers NEEDS observe workload)
fuzz_target(image NEEDS image)
fuzz_target(runs NEEDS runs)
fuzz_target(text NEEDS injector scenario measure node)
