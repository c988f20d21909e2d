set(measure_world ${CMAKE_CURRENT_LIST_DIR}/test_measure_world.c)
foreach(name test_cause test_measure test_measure_bounds test_measure_checks test_measure_contents test_measure_defects test_measure_inside
        test_measure_rows test_measure_watch test_measure_words test_thin)
  unit_test(${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c ${measure_world} NEEDS measure)
endforeach()
unit_test(test_laws SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_laws.c NEEDS ha base)
unit_test(test_leadership SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/test_leadership.c NEEDS ha)
