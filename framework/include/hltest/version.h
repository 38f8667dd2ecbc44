#pragma once

/// The version of hltest. CMake reads it from here.
#define HLTEST_VERSION_MAJOR 0
#define HLTEST_VERSION_MINOR 2
#define HLTEST_VERSION_PATCH 0
#define HLTEST_VERSION "0.2.0"
