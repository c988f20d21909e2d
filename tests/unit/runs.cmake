unit_test(test_runs SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_runs.c NEEDS runs)
unit_test(test_proof SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_proof.c NEEDS proof)
