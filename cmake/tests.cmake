# Each TEST_CASE of a program is a test of ctest, with the name of its ring as prefix and label. A
# test of the simulation is thousands of lives long, and slow with a sanitizer.
# SPDX-License-Identifier: BSL-1.0

find_package(Catch2 REQUIRED)
include(Catch)

function(prong_discover_tests target ring)
  set(timeout 60)
  if(ring STREQUAL "sim")
    set(timeout 300)
  endif()
  catch_discover_tests(${target} TEST_PREFIX "${ring}/"
    PROPERTIES LABELS ${ring} TIMEOUT ${timeout})
endfunction()
