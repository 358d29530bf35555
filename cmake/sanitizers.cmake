# PRONG_SANITIZE=address (with undefined behaviour) or thread, for our own targets.
# SPDX-License-Identifier: BSL-1.0

if(PRONG_SANITIZE STREQUAL "address")
  # A finding ends the program: a test that only prints one would pass. The check of vptr opens a
  # pipe to probe memory, and takes objects for invalid while no descriptor is free.
  set(prong_sanitizers -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
elseif(PRONG_SANITIZE STREQUAL "thread")
  # GCC warns of every fence, Asio's among them, that the sanitizer does not follow.
  set(prong_sanitizers -fsanitize=thread $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
elseif(PRONG_SANITIZE)
  message(FATAL_ERROR "PRONG_SANITIZE is address, thread or OFF, not '${PRONG_SANITIZE}'")
endif()

function(prong_add_sanitizers target)
  if(prong_sanitizers)
    # A little optimization: thousands of simulated lives take minutes without. Reports need lines
    # and no more (-g1): both together compile in 60 % of the time of -O1 -g. GCC 12 then finds
    # mistakes in Asio's coroutines that are none, so warnings are errors in the other builds only.
    target_compile_options(${target} PRIVATE ${prong_sanitizers} -fno-omit-frame-pointer -Og -g1
      -Wno-error)
    target_link_options(${target} PRIVATE ${prong_sanitizers})
  endif()
endfunction()
