# The warnings of our own targets. They are never set for users of the library.
# SPDX-License-Identifier: BSL-1.0

function(prong_add_warnings target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 /permissive- /utf-8
      /Zc:__cplusplus /bigobj $<$<BOOL:${PRONG_WERROR}>:/WX>)
    # Else it warns of std::getenv, and of all of C that Microsoft has a function of its own for.
    target_compile_definitions(${target} PRIVATE _CRT_SECURE_NO_WARNINGS)
  else()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
      -Wold-style-cast $<$<BOOL:${PRONG_WERROR}>:-Werror>)
    if(MINGW AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wa,-mbig-obj)  # Asio makes many sections
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # GCC 12, optimizing, takes strings in a std::variant that holds another type for read, and
      # believes that an appended string could be longer than memory.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-array-bounds
        -Wno-stringop-overflow -Wno-restrict)
    endif()
  endif()
endfunction()
