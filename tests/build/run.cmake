# For tests that are CMake scripts. run(SUCCEEDS|FAILS COMMAND...) checks how the command ends and sets
# `output` to what it prints. expect(TEXT...) checks that each text is in `output`.
function(run expectation)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE result)
  if((expectation STREQUAL "SUCCEEDS" AND NOT result EQUAL 0) OR
     (expectation STREQUAL "FAILS" AND result EQUAL 0))
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "expected that this ${expectation}, but the exit status is ${result}:\n"
                        "  ${command}\n${out}${err}")
  endif()
  set(output "${out}${err}" PARENT_SCOPE)
endfunction()

function(expect)
  foreach(text IN LISTS ARGN)
    string(FIND "${output}" "${text}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "'${text}' is missing from:\n${output}")
    endif()
  endforeach()
endfunction()

function(expect_not text)
  string(FIND "${output}" "${text}" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "'${text}' must not be in:\n${output}")
  endif()
endfunction()
