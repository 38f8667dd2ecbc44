# What the presets for developing hltest itself turn on; a project that uses hltest inherits none.
option(HLTEST_WARNINGS_AS_ERRORS "Compile hltest with strict warnings, which are errors" OFF)
set(HLTEST_SANITIZERS "" CACHE STRING "Sanitizers for -fsanitize=, such as address,undefined")
option(HLTEST_FUZZERS "Build the fuzzers of tests/fuzz, and all the rest as they need it (clang++)" OFF)

if(HLTEST_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "HLTEST_FUZZERS takes clang++, which libFuzzer is a part of, and the compiler "
                        "is ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID}): configure with "
                        "-DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang, or --preset fuzz")
  endif()
  # A fuzzer is led by the coverage of the code it calls, and sees no more than a sanitizer does.
  if(NOT HLTEST_SANITIZERS)
    set(HLTEST_SANITIZERS "address,undefined")
  endif()
  set(HLTEST_SANITIZERS "fuzzer-no-link,${HLTEST_SANITIZERS}")
endif()

# hltest_development_flags(TARGET): the flags for one of hltest's own targets.
function(hltest_development_flags target)
  if(HLTEST_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wshadow -Werror>
      $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Werror>)
  endif()
  if(HLTEST_SANITIZERS)
    target_compile_options(${target} PRIVATE
      -fsanitize=${HLTEST_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${HLTEST_SANITIZERS})
  endif()
endfunction()
