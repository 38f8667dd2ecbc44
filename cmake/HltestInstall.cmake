# cmake --install installs the library, its headers, the command, and the CMake package `hltest`.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/hltest")
install(TARGETS hltest hltest_main EXPORT hltest-targets)
install(DIRECTORY framework/include/hltest DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
if(HLTEST_BUILD_COMMAND)
  install(TARGETS hltest_command)
endif()
install(EXPORT hltest-targets NAMESPACE hltest:: DESTINATION "${package_folder}")

configure_package_config_file(cmake/hltest-config.cmake.in hltest-config.cmake
                              INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(hltest-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/hltest-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/hltest-config-version.cmake"
              cmake/HltestGuests.cmake cmake/HltestNasmDefines.cmake
        DESTINATION "${package_folder}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/hltest")
