# Options for the development of hltest itself. Projects that use hltest inherit none of them.
option(HLTEST_WARNINGS_AS_ERRORS "Compile hltest with strict warnings as errors" OFF)
set(HLTEST_SANITIZERS "" CACHE STRING "Sanitizers for -fsanitize=, such as address,undefined")
option(HLTEST_FUZZERS "Build the fuzzers of tests/fuzz, and everything else with their sanitizers (clang++)" OFF)

if(HLTEST_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "HLTEST_FUZZERS requires clang++, which includes libFuzzer, but the compiler "
                        "is ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID}): configure with "
                        "-DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang, or --preset fuzz")
  endif()
  # Fuzzers need coverage of the code they call, and find only what a sanitizer detects.
  if(NOT HLTEST_SANITIZERS)
    set(HLTEST_SANITIZERS "address,undefined")
  endif()
  set(HLTEST_SANITIZERS "fuzzer-no-link,${HLTEST_SANITIZERS}")
endif()

# hltest_development_flags(TARGET): adds these flags to one of hltest's own targets.
function(hltest_development_flags target)
  if(HLTEST_WARNINGS_AS_ERRORS)
    # When g++ 12 optimises, it warns wrongly about std::optional and std::string in its own headers. These
    # warnings depend on optimisation and are not errors.
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wshadow -Werror>
      "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-error=maybe-uninitialized;-Wno-error=restrict>"
      $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Werror>)
  endif()
  if(HLTEST_SANITIZERS)
    target_compile_options(${target} PRIVATE
      -fsanitize=${HLTEST_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${HLTEST_SANITIZERS})
  endif()
endfunction()
