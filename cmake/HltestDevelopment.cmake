# What the presets for developing hltest itself turn on; a project that uses hltest inherits none.
option(HLTEST_WARNINGS_AS_ERRORS "Compile hltest with strict warnings, which are errors" OFF)
set(HLTEST_SANITIZERS "" CACHE STRING "Sanitizers for -fsanitize=, such as address,undefined")

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
