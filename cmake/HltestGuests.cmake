# hltest_add_guests() and hltest_discover_tests(): for a project's guests and for the tests that run them.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/HltestNasmDefines.cmake")

find_program(HLTEST_NASM nasm DOC "The assembler for guests")
# In hltest's source tree, or in the include folder of the prefix where this file is installed.
find_file(HLTEST_MEMORY_LAYOUT hltest/memory_layout.h
          PATHS "${CMAKE_CURRENT_LIST_DIR}/../framework/include" "${CMAKE_CURRENT_LIST_DIR}/../../../include"
                "${CMAKE_CURRENT_LIST_DIR}/../../../../include"
          NO_DEFAULT_PATH REQUIRED)
mark_as_advanced(HLTEST_NASM HLTEST_MEMORY_LAYOUT)

# hltest_add_guests(TARGET
#                   MODE real|protected|long ...
#                   SOURCES file.asm ...
#                   [LOAD_ADDRESS 0x1000]
#                   [DEFINES NAME[=VALUE] ...]
#                   [INCLUDE_DIRECTORIES dir ...]
#                   [ALLOW_WARNINGS name ...])
#
# Adds a library TARGET with the assembled images, which a test program links, and the header
# "guests/TARGET.h", which declares them. `file.asm` becomes `guests::file`; if two libraries have a
# file of that name, use `guests::from_TARGET::file`. The build assembles each source to a flat image
# (nasm -f bin), and again when the source or a file that it %includes or incbins changes. The mode
# selects `bits`. NASM's warnings are errors.
#
#   MODE                 the mode that the guests start in. With several modes, each source is
#                        assembled for each of them, and its images form an hltest::ImageSet
#   LOAD_ADDRESS         the address that the images are loaded at, with no alignment required.
#                        Sources can use it: `org HLTEST_LOAD_ADDRESS`
#   DEFINES              macros for nasm -D, in addition to HLTEST_BITS and the constants of
#                        <hltest/memory_layout.h> (kCom1 is HLTEST_COM1)
#   INCLUDE_DIRECTORIES  folders that %include searches, in addition to the source's own
#   ALLOW_WARNINGS       names of NASM warnings, such as number-overflow, that are not errors here
function(hltest_add_guests target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LOAD_ADDRESS"
                        "MODE;SOURCES;DEFINES;INCLUDE_DIRECTORIES;ALLOW_WARNINGS")
  set(call "hltest_add_guests(${target})")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${call}: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(TARGET ${target})
    message(FATAL_ERROR "${call}: there is a target of this name already. The call makes a library "
                        "of its own: give it a new name and link your test program to it")
  endif()
  if(NOT target MATCHES "^[A-Za-z_][A-Za-z0-9_.-]*$")
    message(FATAL_ERROR "${call}: the name becomes guests/${target}.h: use letters, digits, '_-.'")
  endif()
  if(NOT HLTEST_NASM)
    message(FATAL_ERROR "${call}: nasm is missing: install it (apt install nasm), or set HLTEST_NASM "
                        "to where it is")
  endif()
  if(NOT arg_MODE OR NOT arg_SOURCES)
    message(FATAL_ERROR "${call}: MODE real|protected|long and SOURCES are needed")
  endif()
  if(NOT DEFINED arg_LOAD_ADDRESS)
    set(arg_LOAD_ADDRESS 0x1000) # kLoadAddress; hltest's own tests check that they are equal
  endif()
  string(REGEX REPLACE "^0x" "" digits "${arg_LOAD_ADDRESS}")
  string(LENGTH "${digits}" digit_count)
  if(NOT arg_LOAD_ADDRESS MATCHES "^(0x[0-9A-Fa-f]+|0|[1-9][0-9]*)$" OR digit_count GREATER 16)
    message(FATAL_ERROR "${call}: LOAD_ADDRESS ${arg_LOAD_ADDRESS} is no number of 64 bits: write it "
                        "like 0x7C00 or 31744")
  endif()
  set(modes "${arg_MODE}")
  list(REMOVE_DUPLICATES modes)
  if(NOT modes STREQUAL arg_MODE)
    message(FATAL_ERROR "${call}: MODE ${arg_MODE} has a mode twice")
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/hltest_guests/${target}")
  file(MAKE_DIRECTORY "${folder}/guests")
  hltest_nasm_defines(defines)
  list(FILTER defines EXCLUDE REGEX "^-DHLTEST_LOAD_ADDRESS=")
  list(APPEND defines "-DHLTEST_LOAD_ADDRESS=${arg_LOAD_ADDRESS}")
  list(TRANSFORM arg_DEFINES PREPEND "-D")
  set(options ${defines} ${arg_DEFINES} -Werror)
  list(TRANSFORM arg_ALLOW_WARNINGS PREPEND "-w-")
  list(APPEND options ${arg_ALLOW_WARNINGS})
  foreach(directory IN LISTS arg_INCLUDE_DIRECTORIES)
    cmake_path(ABSOLUTE_PATH directory)
    list(APPEND options "-I${directory}/")
  endforeach()

  set(declarations "")
  set(definitions "")
  set(images "")
  set(names "")
  foreach(source IN LISTS arg_SOURCES)
    cmake_path(ABSOLUTE_PATH source NORMALIZE)
    get_source_file_property(is_generated "${source}" GENERATED)
    if(NOT EXISTS "${source}" AND NOT is_generated)
      message(FATAL_ERROR "${call}: there is no ${source}")
    elseif(IS_DIRECTORY "${source}")
      message(FATAL_ERROR "${call}: ${source} is a folder: name the sources in it")
    elseif(source MATCHES "[\"\\]")
      message(FATAL_ERROR "${call}: ${source}: a source's path can't have quotes or backslashes")
    elseif(NOT source MATCHES "[.]([aA][sS][mM]|nasm)$")
      message(FATAL_ERROR "${call}: ${source}: NASM's sources end in .asm or .nasm")
    endif()
    cmake_path(GET source STEM LAST_ONLY stem)
    _hltest_guest_name("${call}" "${stem}" name)
    if(name IN_LIST names)
      message(FATAL_ERROR "${call}: two sources would be guests::${name}: rename one")
    endif()
    list(APPEND names ${name})
    set(symbols "")
    foreach(mode IN LISTS arg_MODE)
      _hltest_assemble("${call}" "${source}" ${mode} "${folder}/${name}.${mode}.bin" "${options}")
      list(APPEND images "${folder}/${name}.${mode}.bin")
      string(MAKE_C_IDENTIFIER "hltest_guest_${target}_${name}_${mode}" symbol)
      list(APPEND symbols "${mode}:${symbol}")
      foreach(part IN ITEMS bin lst map)
        _hltest_embed(${symbol}_${part} "${folder}/${name}.${mode}.${part}" text)
        string(APPEND definitions "${text}")
      endforeach()
    endforeach()
    _hltest_declare(${target} ${name} "${stem}" "${source}" ${arg_LOAD_ADDRESS} "${symbols}"
                    declaration definition)
    string(APPEND declarations "${declaration}")
    string(APPEND definitions "${definition}")
  endforeach()

  string(MAKE_C_IDENTIFIER "from_${target}" library)
  # Two libraries of one namespace would share their guests' symbols, and the linker would choose.
  get_property(libraries GLOBAL PROPERTY hltest_guest_libraries)
  if(library IN_LIST libraries)
    message(FATAL_ERROR "${call}: another library has guests::${library} already: rename one")
  endif()
  set_property(GLOBAL APPEND PROPERTY hltest_guest_libraries ${library})
  set(made "// Made by ${call}.\n")
  # By way of a variable, whose contents are not configured again: a path may have an @.
  set(header
       "${made}#pragma once\n\n#include <hltest/image.h>\n\nnamespace guests {\ninline namespace ${library} {\n${declarations}\n}  // namespace ${library}\n}  // namespace guests\n")
  file(CONFIGURE OUTPUT "${folder}/guests/${target}.h" @ONLY CONTENT "@header@")
  set(code "${made}#include \"guests/${target}.h\"\n${definitions}")
  file(CONFIGURE OUTPUT "${folder}/${target}.cc" @ONLY CONTENT "@code@")
  set_source_files_properties("${folder}/${target}.cc" PROPERTIES OBJECT_DEPENDS "${images}")

  add_library(${target} STATIC "${folder}/${target}.cc")
  target_include_directories(${target} PUBLIC "${folder}")
  target_link_libraries(${target} PUBLIC hltest::hltest)
endfunction()

# The C++ name of a guest. If it is a keyword, the user has to rename the file: a changed name would make
# tests differ from the file's name.
function(_hltest_guest_name call stem variable)
  string(MAKE_C_IDENTIFIER "${stem}" name)
  set(keywords alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t
      char16_t char32_t class co_await co_return co_yield compl concept const const_cast consteval
      constexpr constinit continue decltype default delete do double dynamic_cast else enum explicit
      export extern false float for friend goto if inline int long mutable namespace new noexcept not
      not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
      return short signed sizeof static static_assert static_cast struct switch template this
      thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
      wchar_t while xor xor_eq)
  set(macros EOF NULL assert errno linux stderr stdin stdout unix)
  if(name IN_LIST keywords)
    message(FATAL_ERROR "${call}: ${stem}.asm can't be guests::${name}, which is a C++ keyword: "
                        "rename the file")
  elseif(name IN_LIST macros)
    message(FATAL_ERROR "${call}: ${stem}.asm can't be guests::${name}, which is a macro of the "
                        "compiler's or the C library's: rename the file")
  endif()
  set(${variable} ${name} PARENT_SCOPE)
endfunction()

function(_hltest_assemble call source mode image options)
  if(mode STREQUAL "real")
    set(bits 16)
  elseif(mode STREQUAL "protected")
    set(bits 32)
  elseif(mode STREQUAL "long")
    set(bits 64)
  else()
    message(FATAL_ERROR "${call}: MODE ${mode} is none of real, protected and long")
  endif()
  cmake_path(GET source PARENT_PATH source_folder)
  set(nasm "${HLTEST_NASM}" -f bin ${options} -DHLTEST_BITS=${bits} --before "bits ${bits}"
      "-I${source_folder}/")
  # NASM's listing and map file: which line made which bytes, and where the labels are.
  string(REGEX REPLACE "[.]bin$" "" notes "${image}")
  # `[map]` does not accept a quoted path. Relative to the command's working directory it has no spaces.
  cmake_path(RELATIVE_PATH notes BASE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}" OUTPUT_VARIABLE map)
  cmake_path(RELATIVE_PATH image BASE_DIRECTORY "${CMAKE_BINARY_DIR}" OUTPUT_VARIABLE short)
  # NASM's -MD omits %included files (2.16.01), so a second pass lists them.
  add_custom_command(
    OUTPUT "${image}"
    BYPRODUCTS "${notes}.lst" "${notes}.map"
    COMMAND ${nasm} -o "${image}" -l "${notes}.lst" --before "[map all ${map}.map]" "${source}"
    COMMAND ${nasm} -M -MF "${image}.d" -MQ "${image}" -w-all "${source}"
    DEPENDS "${source}"
    DEPFILE "${image}.d"
    COMMENT "Assembling ${short}"
    VERBATIM)
endfunction()

# Sets `variable` to C++ code that embeds a file's bytes between two symbols.
function(_hltest_embed symbol file variable)
  string(REPLACE "\\" "\\\\" path "${file}")
  string(REPLACE "\"" "\\\"" path "${path}")
  # Twice: once for the C++ string literal, once for the assembler's.
  string(REPLACE "\\" "\\\\" path "${path}")
  string(REPLACE "\"" "\\\"" path "${path}")
  set(${variable} "
extern \"C\" const std::uint8_t ${symbol}_begin[];
extern \"C\" const std::uint8_t ${symbol}_end[];
asm(\".pushsection .rodata\\n\"
    \"${symbol}_begin: .incbin \\\"${path}\\\"\\n\"
    \"${symbol}_end: .byte 0\\n\"
    \".popsection\\n\");
" PARENT_SCOPE)
endfunction()

function(_hltest_declare target name stem source load_address symbols declaration definition)
  set(cpu_mode_real kReal16)
  set(cpu_mode_protected kProtected32)
  set(cpu_mode_long kLong64)
  cmake_path(GET source FILENAME file)
  string(MAKE_C_IDENTIFIER "from_${target}" library)
  set(modes "")
  set(images "")
  set(source_maps "")
  foreach(entry IN LISTS symbols)
    string(REGEX MATCH "^([a-z]+):(.*)$" _ "${entry}")
    set(symbol "${CMAKE_MATCH_2}")
    set(cpu_mode "hltest::CpuMode::${cpu_mode_${CMAKE_MATCH_1}}")
    list(APPEND modes "${cpu_mode}")
    foreach(part IN ITEMS bin lst map)
      set(${part} "{${symbol}_${part}_begin, ${symbol}_${part}_end}")
    endforeach()
    string(APPEND source_maps "
static constinit const hltest::LazySourceMap ${symbol}_source_map{
    \"${file}\", ${bin}, ${lst}, ${map}};")
    list(APPEND images "hltest::LinkedImage{\"${stem}\", ${bin}, hltest::Gpa{${load_address}}, &${symbol}_source_map}")
  endforeach()
  list(LENGTH modes count)
  list(JOIN modes ", " modes)
  list(JOIN images ",\n    " images)
  if(count EQUAL 1)
    set(type "hltest::Image<${modes}>")
    set(value "{${images}}")
  else()
    set(type "hltest::ImageSet<${modes}>")
    set(value "{${images}}")
  endif()
  set(${declaration} "\n/// ${file}, loaded at ${load_address}.\nextern const ${type} ${name};\n"
      PARENT_SCOPE)
  set(${definition} "${source_maps}\nconstinit const ${type} guests::${library}::${name}${value};\n" PARENT_SCOPE)
endfunction()

# hltest_discover_tests(TARGET ...): registers each of the program's tests with ctest. Further arguments
# are passed to gtest_discover_tests(). A test that skips because there is no KVM is shown as skipped.
function(hltest_discover_tests target)
  include(GoogleTest) # here, since its variables are visible only in the including scope
  gtest_discover_tests(${target} ${ARGN})
endfunction()
