foreach(name catalogue phases parts)
  unit_test(test_fault_${name} LABEL unit
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_fault_${name}.c
    NEEDS injector node sandbox record base)
endforeach()
