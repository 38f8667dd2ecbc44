# Builds and tests another project, which is this folder.
#   cmake -DPROJECT=... -DBUILD=... -DPREFIX=... -P consumer_test.cmake
#     by find_package, with hltest installed to PREFIX
#   cmake -DPROJECT=... -DBUILD=... -DHLTEST_SOURCE=... -P consumer_test.cmake
#     by add_subdirectory, with hltest as a shared library
include("${CMAKE_CURRENT_LIST_DIR}/../build/run.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../build/check_shared_library.cmake")

file(REMOVE_RECURSE "${BUILD}")
file(COPY "${PROJECT}/" DESTINATION "${BUILD}/project")
set(arguments "")
if(DEFINED HLTEST_SOURCE)
  file(READ "${BUILD}/project/CMakeLists.txt" text)
  string(REPLACE "find_package(hltest REQUIRED)"
                 "add_subdirectory(\"${HLTEST_SOURCE}\" hltest)" text "${text}")
  file(WRITE "${BUILD}/project/CMakeLists.txt" "${text}")
  list(APPEND arguments -DBUILD_SHARED_LIBS=ON)
else()
  list(APPEND arguments "-DCMAKE_PREFIX_PATH=${PREFIX}")
endif()

run(SUCCEEDS ${CMAKE_COMMAND} -S "${BUILD}/project" -B "${BUILD}/build" -G Ninja
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "-DCMAKE_CXX_COMPILER=${COMPILER}" ${arguments})
run(SUCCEEDS ${CMAKE_COMMAND} --build "${BUILD}/build")
run(SUCCEEDS ${CMAKE_CTEST_COMMAND} --test-dir "${BUILD}/build" --output-on-failure --no-tests=error)
expect("100% tests passed, 0 tests failed out of 1")
if(DEFINED HLTEST_SOURCE)
  check_shared_library("${BUILD}/build/hltest/framework/libhltest.so")
endif()

# A consumer inherits no warning flags.
file(READ "${BUILD}/build/compile_commands.json" commands)
if(commands MATCHES "-Werror|-Wconversion|-Wshadow|-Wall")
  message(FATAL_ERROR "the consumer is compiled with hltest's own warnings:\n${commands}")
endif()
