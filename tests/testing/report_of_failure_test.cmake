# Runs PROGRAM, whose tests fail on purpose, and checks what a user then reads.
#   cmake -DPROGRAM=... -DXML=... -P report_of_failure_test.cmake
execute_process(COMMAND "${PROGRAM}" "--gtest_output=xml:${XML}" --gtest_color=no
                OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE result)
if(output MATCHES "SKIPPED" AND NOT "$ENV{HLTEST_REQUIRE_KVM}")
  message(STATUS "[  SKIPPED ] KVM can't be used")
  return()
endif()
if(NOT result EQUAL 1)
  message(FATAL_ERROR "the program ended with ${result}\n${output}${errors}")
endif()

function(expect_count text pattern expected)
  string(REGEX MATCHALL "${pattern}" matches "${text}")
  list(LENGTH matches count)
  if(NOT count EQUAL expected)
    message(FATAL_ERROR "'${pattern}' stands there ${count} times, not ${expected}:\n${text}")
  endif()
endfunction()

# Once for each test that failed after a run, and not for those that passed or never ran.
expect_count("${output}" "add_digits_newline halted\nat 0x100b" 4)
expect_count("${output}" "> +0x100b  f4 +hlt" 4)
# A failure before the first run is about none: the report is of the last.
expect_count("${output}" "run 2 of 2:\nadd_digits_newline halted" 1)
# The outcome that did not match is not the last.
expect_count("${output}" "run 1 of 2:\nadd_digits_newline halted" 1)
expect_count("${output}" "out 0x03f8  2 bytes: 34 0a" 2)
expect_count("${output}" "which wrote \"4.n\" .34 0a. to port 0x3f8" 2)
# An error becomes a failure that names the input.
expect_count("${output}" "does not fit in the guest's memory" 1)
expect_count("${output}" "FAILED  . RealModeTest.Passes" 0)

# A triple fault is explained without a second run of the test's.
expect_count("${output}" "pml4e_not_present ended: triple fault after #PF" 1)
expect_count("${output}" "cause: the fetch from 0x1048 at CPL 0: its PML4E at 0x8000 .0x9002. is not" 1)

file(READ "${XML}" xml)
expect_count("${xml}" "property name=\"hltest_report\" value=\"pml4e_not_present ended: triple fault after #PF" 1)
string(ASCII 27 escape)
expect_count("${output}${xml}" "${escape}" 0)
expect_count("${xml}" "property name=\"hltest_report\" value=\"add_digits_newline halted" 2)

# Where the report can't be written, the tests that follow run all the same.
execute_process(COMMAND sh -c "exec '${PROGRAM}' --gtest_output=xml:'${XML}' >/dev/full 2>/dev/null"
                RESULT_VARIABLE result)
if(NOT result EQUAL 1)
  message(FATAL_ERROR "with nowhere to print, the program ended with ${result}")
endif()
file(READ "${XML}" results)
expect_count("${results}" "name=\"StillReports\"" 1)
