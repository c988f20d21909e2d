unit_test(test_observe LABEL sandbox
  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_observe.c ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_observe_pg.c
          ${CMAKE_CURRENT_SOURCE_DIR}/sandbox/test_observe_etcd.c
  NEEDS observe record base)
