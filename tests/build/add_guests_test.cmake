# hltest_add_guests() in a project: folders with spaces, what is rebuilt after a change, the options, and
# the messages for a wrong call or source.
#   cmake -DPREFIX=... -DBUILD=... -DGENERATOR=... -DCOMPILER=... -P add_guests_test.cmake
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")

set(project "${BUILD}/a project")
set(build "${BUILD}/its build")
file(REMOVE_RECURSE "${BUILD}")
file(MAKE_DIRECTORY "${project}/source files" "${project}/more includes")

file(WRITE "${project}/source files/first one.asm"
     "%include \"shared part.inc\"\n db HLTEST_BITS\n dw HLTEST_LOAD_ADDRESS, HLTEST_COM1\n")
file(WRITE "${project}/source files/shared part.inc" " db 1\n")
file(WRITE "${project}/source files/second.asm"
     "%include \"other.inc\"\n db GIVEN, FLAG\n incbin \"data file.bin\"\n")
file(WRITE "${project}/more includes/other.inc" " db 0x77\n")
file(WRITE "${project}/source files/data file.bin" "xyz")
file(WRITE "${project}/main.cc" [=[
#include <cstdio>
#include "guests/some.h"
#include "guests/every.h"
#include "guests/again.h"
static void print(const hltest::FlatImage& image) {
  std::printf("%s %llx:", std::string(image.name()).c_str(),
              static_cast<unsigned long long>(image.load_address().value()));
  for (const auto byte : image.bytes()) std::printf(" %02x", byte);
  std::printf("\n");
}
int main() {
  print(guests::first_one);
  print(guests::from_some::second);
  print(guests::from_again::second);
  print(guests::both.in<hltest::CpuMode::kReal16>());
  print(guests::both.in<hltest::CpuMode::kLong64>());
}
]=])
file(WRITE "${project}/both.asm" " mov ax, 1\n")
file(WRITE "${project}/second.asm" " hlt\n")
set(head "cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES CXX)\nfind_package(hltest REQUIRED)\n")
file(WRITE "${project}/CMakeLists.txt" "${head}" [=[
hltest_add_guests(some MODE real LOAD_ADDRESS 0x7c00
  SOURCES "source files/first one.asm" "source files/second.asm"
  DEFINES GIVEN=0x42 FLAG=1 INCLUDE_DIRECTORIES "more includes")
hltest_add_guests(every MODE real long SOURCES both.asm)
hltest_add_guests(again MODE real SOURCES second.asm)
add_executable(main main.cc)
target_link_libraries(main some every again)
]=])

function(build_succeeds)
  run(SUCCEEDS ${CMAKE_COMMAND} --build "${build}" --verbose)
  set(output "${output}" PARENT_SCOPE)
endfunction()
function(program_prints)
  run(SUCCEEDS "${build}/main")
  expect(${ARGN})
endfunction()

set(configure ${CMAKE_COMMAND} -S "${project}" -B "${build}" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${PREFIX}")
run(SUCCEEDS ${configure})
build_succeeds()
program_prints("first one 7c00: 01 10 00 7c f8 03" "second 7c00: 77 42 01 78 79 7a"
               "second 1000: f4" "both 1000: b8 01 00" "both 1000: 66 b8 01 00")

# Without changes, nothing is assembled.
build_succeeds()
expect_not("nasm")

# A change to a file that is %included or incbin'd rebuilds what depends on it, and nothing else.
function(change_rebuilds path contents rebuilt untouched)
  execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 1.1) # make compares whole seconds
  file(WRITE "${path}" "${contents}")
  build_succeeds()
  expect("${rebuilt}")
  expect_not("${untouched}")
  expect_not("main.cc.o -c")
endfunction()
change_rebuilds("${project}/source files/shared part.inc" " db 2\n" "first_one.real.bin" "second.real.bin")
program_prints("first one 7c00: 02 10")
change_rebuilds("${project}/more includes/other.inc" " db 0x78\n" "second.real.bin" "first_one.real.bin")
program_prints("second 7c00: 78 42")
change_rebuilds("${project}/source files/data file.bin" "abc" "second.real.bin" "first_one.real.bin")
program_prints("second 7c00: 78 42 01 61 62 63")
change_rebuilds("${project}/both.asm" " mov ax, 2\n" "both.long.bin" "second.real.bin")
program_prints("both 1000: b8 02 00" "both 1000: 66 b8 02 00")

# An error in a source fails the build with NASM's message. Fixing the source is enough to build again.
file(WRITE "${project}/both.asm" "\n nonsense here\n")
run(FAILS ${CMAKE_COMMAND} --build "${build}")
expect("both.asm:2: error: ")
file(WRITE "${project}/both.asm" " mov ax, 3\n")
build_succeeds()
program_prints("both 1000: b8 03 00")

# Warnings are errors unless ALLOW_WARNINGS names them.
set(main "add_executable(main main.cc)\ntarget_link_libraries(main some every)\n")
file(WRITE "${project}/warned.asm" " mov al, 0x1ff\n")
file(APPEND "${project}/CMakeLists.txt" "hltest_add_guests(warned MODE real SOURCES warned.asm)\n")
run(FAILS ${CMAKE_COMMAND} --build "${build}")
expect("warned.asm:1: error: byte data exceeds bounds")
file(READ "${project}/CMakeLists.txt" text)
string(REPLACE "SOURCES warned.asm" "ALLOW_WARNINGS number-overflow SOURCES warned.asm" text "${text}")
file(WRITE "${project}/CMakeLists.txt" "${text}")
build_succeeds()

# Wrong calls fail when the project is configured.
function(call_fails call)
  file(WRITE "${project}/CMakeLists.txt" "${head}${call}\n")
  run(FAILS ${configure})
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  expect(${ARGN})
endfunction()
file(WRITE "${project}/switch.asm" " hlt\n")
file(WRITE "${project}/more includes/both.asm" " hlt\n")
call_fails("hltest_add_guests(g MODE unreal SOURCES both.asm)" "MODE unreal is none of real, protected and long")
call_fails("hltest_add_guests(g MODE real SOURCES nowhere.asm)" "there is no ${project}/nowhere.asm")
call_fails("hltest_add_guests(g SOURCES both.asm)" "MODE real|protected|long and SOURCES are needed")
call_fails("hltest_add_guests(g MODE real SOURCES switch.asm)" "C++ keyword: rename the file")
foreach(name IN ITEMS constexpr nullptr bitor)
  file(WRITE "${project}/${name}.asm" " hlt\n")
  call_fails("hltest_add_guests(g MODE real SOURCES ${name}.asm)" "which is a C++ keyword: rename the file")
endforeach()
foreach(name IN ITEMS linux unix errno NULL)
  file(WRITE "${project}/${name}.asm" " hlt\n")
  call_fails("hltest_add_guests(g MODE real SOURCES ${name}.asm)" "guests::${name}, which is a macro of the")
endforeach()
file(WRITE "${project}/gas.S" " hlt\n")
call_fails("hltest_add_guests(g MODE real SOURCES gas.S)" "gas.S: NASM's sources end in .asm or .nasm")
call_fails("hltest_add_guests(g MODE real SOURCES .)" "is a folder: name the sources in it")
call_fails("hltest_add_guests(boot-x MODE real SOURCES both.asm)\nhltest_add_guests(boot_x MODE real SOURCES second.asm)"
           "another library has guests::from_boot_x already: rename one")
call_fails("hltest_add_guests(g MODE real SOURCES both.asm \"more includes/both.asm\")" "two sources would be guests::both")
call_fails("hltest_add_guests(g MODE real LOAD_ADDRESS here SOURCES both.asm)" "LOAD_ADDRESS here is no number")
call_fails("hltest_add_guests(g MODE real LOAD_ADDRESS 07600 SOURCES both.asm)" "LOAD_ADDRESS 07600 is no number")
call_fails("hltest_add_guests(g MODE real LOAD_ADDRESS 0x1FFFFFFFFFFFFFFFF SOURCES both.asm)" "is no number of 64 bits")
call_fails("hltest_add_guests(g MODE real real SOURCES both.asm)" "has a mode twice")
call_fails("add_library(g INTERFACE)\nhltest_add_guests(g MODE real SOURCES both.asm)" "there is a target of this name already")
set(configure ${configure} -DHLTEST_NASM=HLTEST_NASM-NOTFOUND -DCMAKE_PROGRAM_PATH= -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF)
call_fails("hltest_add_guests(g MODE real SOURCES both.asm)" "nasm is missing: install it (apt install nasm)")
