# Each TEST_CASE of a program is a test of ctest, with the name of its ring as prefix and label.
# SPDX-License-Identifier: BSL-1.0

find_package(Catch2 REQUIRED)
include(Catch)

function(prong_discover_tests target ring)
  catch_discover_tests(${target} TEST_PREFIX "${ring}/" PROPERTIES LABELS ${ring} TIMEOUT 60)
endfunction()
