# hltest_read_version(VARIABLE): the version in <hltest/version.h>, the only place where it is written.
function(hltest_read_version variable)
  set(header "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../framework/include/hltest/version.h")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
  file(STRINGS "${header}" numbers REGEX "^#define HLTEST_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
  list(TRANSFORM numbers REPLACE "^.* " "")
  list(JOIN numbers "." version)
  file(STRINGS "${header}" text REGEX "^#define HLTEST_VERSION \"${version}\"$")
  if(NOT version MATCHES "^[0-9]+[.][0-9]+[.][0-9]+$" OR NOT text)
    message(FATAL_ERROR "${header}: HLTEST_VERSION must be the text of the three numbers above it, "
                        "which are ${version}")
  endif()
  set(${variable} "${version}" PARENT_SCOPE)
endfunction()
