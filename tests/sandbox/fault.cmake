# Every fault bites and heals, measured without the injector's own probes. No root needed; 77 where namespaces are missing.
foreach(name disk errand link net net_path net_reject net_shapes node power process postgres resource)
  set(more)
  if(name MATCHES "postgres|resource")
    set(more ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/fault_postgres.c)
  endif()
  unit_test(test_fault_${name} LABEL sandbox
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_fault_${name}.c ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/fault_fixture.c ${more}
    NEEDS injector node sandbox record base)
endforeach()
