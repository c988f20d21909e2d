# The engine against a fake world: no daemon, no clock, no root.
set(engine_world ${CMAKE_CURRENT_SOURCE_DIR}/engine/world.c ${CMAKE_CURRENT_SOURCE_DIR}/engine/plans.c
    ${CMAKE_CURRENT_SOURCE_DIR}/engine/events.c)
unit_test(test_engine SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/engine/test_engine.c ${engine_world} NEEDS engine LABEL engine)
unit_test(test_condition SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/engine/test_condition.c ${engine_world} NEEDS engine LABEL engine)
unit_test(test_target SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/engine/test_target.c ${engine_world} NEEDS engine LABEL engine)
unit_test(test_engine_property SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/engine/test_engine_property.c ${engine_world} NEEDS engine LABEL engine)
unit_test(test_hold SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/engine/test_hold.c ${engine_world} NEEDS engine LABEL engine)
