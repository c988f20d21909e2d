unit_test(test_model SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_model.c ${CMAKE_CURRENT_SOURCE_DIR}/engine/events.c NEEDS model)
unit_test(test_health SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_health.c ${CMAKE_CURRENT_SOURCE_DIR}/engine/events.c
          NEEDS model engine measure story scenario)
unit_test(test_diverge SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_diverge.c ${CMAKE_CURRENT_SOURCE_DIR}/engine/events.c NEEDS model)
unit_test(test_watch SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_watch.c NEEDS model)
