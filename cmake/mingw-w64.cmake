# Toolchain: builds for Windows with MinGW-w64 on Debian, and runs what it built under Wine.
#
# Debian has the header-only packages that prong needs for itself, but none for MinGW. Their headers
# are the same everywhere, so they are linked into a folder of their own: all of /usr/include would
# bring the headers of Linux along. PRONG_MINGW_CLANG=ON compiles with Clang instead of GCC.
# SPDX-License-Identifier: BSL-1.0
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(triplet x86_64-w64-mingw32)
set(CMAKE_RC_COMPILER ${triplet}-windres)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PRONG_MINGW_CLANG)
if(PRONG_MINGW_CLANG)
  # Clang does not find the C++ headers of Debian's GCC, whose folder is named after its threads.
  set(CMAKE_CXX_COMPILER clang++)
  set(CMAKE_CXX_COMPILER_TARGET ${triplet})
  execute_process(COMMAND ${triplet}-g++-posix -print-file-name=include/c++
    OUTPUT_VARIABLE headers OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  cmake_path(GET headers PARENT_PATH libraries)
  cmake_path(GET libraries PARENT_PATH libraries)
  set(CMAKE_CXX_FLAGS_INIT "-nostdinc++ -isystem ${headers} -isystem ${headers}/${triplet} \
-isystem ${headers}/backward")
  set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${libraries}")
else()
  set(CMAKE_CXX_COMPILER ${triplet}-g++-posix)
endif()
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -static")  # the programs run where no MinGW is

set(headers ${CMAKE_BINARY_DIR}/headers)
set(CMAKE_FIND_ROOT_PATH /usr/${triplet} ${headers})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

find_program(PRONG_WINE wine64 PATHS /usr/lib/wine NO_CMAKE_FIND_ROOT_PATH)
if(PRONG_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${PRONG_WINE})
endif()

get_property(in_try_compile GLOBAL PROPERTY IN_TRY_COMPILE)
if(in_try_compile)
  return()
endif()

# What these packages' own config files would say, if they were made for this target.
function(prong_header_package name folder target)
  file(MAKE_DIRECTORY ${headers}/include)
  file(CREATE_LINK /usr/include/${folder} ${headers}/include/${folder} SYMBOLIC)
  set(config ${headers}/lib/cmake/${name})
  file(WRITE ${config}/${name}Config.cmake "
    if(NOT TARGET ${target})
      add_library(${target} INTERFACE IMPORTED)
      target_include_directories(${target} SYSTEM INTERFACE ${headers}/include)
    endif()
    ${ARGN}")
  file(WRITE ${config}/${name}ConfigVersion.cmake "set(PACKAGE_VERSION_COMPATIBLE TRUE)")
endfunction()

prong_header_package(Boost boost Boost::headers)
prong_header_package(fmt fmt fmt::fmt-header-only
  "target_compile_definitions(fmt::fmt-header-only INTERFACE FMT_HEADER_ONLY)")
prong_header_package(CLI11 CLI CLI11::CLI11)
prong_header_package(Catch2 catch2 Catch2::Catch2
  "list(APPEND CMAKE_MODULE_PATH /usr/lib/cmake/Catch2)")
