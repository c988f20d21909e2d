unit_test(test_event SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_event.c NEEDS record)
unit_test(test_run SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_run.c NEEDS record)
unit_test(test_ledger SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_ledger.c NEEDS record)
