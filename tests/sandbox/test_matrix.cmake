# The connectivity matrix against real listeners. No root needed; 77 where namespaces are missing.
unit_test(test_matrix LABEL sandbox
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_matrix.c ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/fault_fixture.c
  NEEDS injector reach node sandbox record base)
