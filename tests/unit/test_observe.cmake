unit_test(test_etcd_json SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_etcd_json.c NEEDS observe)
unit_test(test_patroni_json SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_patroni_json.c NEEDS observe)
unit_test(test_observe_text SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_observe_text.c NEEDS observe)
unit_test(test_pgconn SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_pgconn.c NEEDS pgconn)
