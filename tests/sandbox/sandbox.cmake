# Real namespaces, real packets; no root needed. Skipped (77) where the host allows no user namespaces.
foreach(name enter identity image inside leak network node postgres power signal)
  unit_test(test_sandbox_${name}
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_sandbox_${name}.c ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/fixture.c
            ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/peer.c
    NEEDS base record sandbox node LABEL sandbox)
endforeach()
