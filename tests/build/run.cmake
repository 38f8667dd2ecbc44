# For tests that are CMake scripts: run(SUCCEEDS|FAILS COMMAND...) leaves what the command printed in
# `output`, and expect(TEXT...) wants each text in it.
function(run expectation)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE result)
  if((expectation STREQUAL "SUCCEEDS" AND NOT result EQUAL 0) OR
     (expectation STREQUAL "FAILS" AND result EQUAL 0))
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "it should be that this ${expectation}, and it ended with ${result}:\n"
                        "  ${command}\n${out}${err}")
  endif()
  set(output "${out}${err}" PARENT_SCOPE)
endfunction()

function(expect)
  foreach(text IN LISTS ARGN)
    string(FIND "${output}" "${text}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "'${text}' is not in:\n${output}")
    endif()
  endforeach()
endfunction()

function(expect_not text)
  string(FIND "${output}" "${text}" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "'${text}' is in:\n${output}")
  endif()
endfunction()
