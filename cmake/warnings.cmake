# The warnings of our own targets. They are never set for users of the library.
# SPDX-License-Identifier: BSL-1.0

function(prong_add_warnings target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 /permissive- $<$<BOOL:${PRONG_WERROR}>:/WX>)
  else()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
      -Wold-style-cast $<$<BOOL:${PRONG_WERROR}>:-Werror>)
  endif()
endfunction()
