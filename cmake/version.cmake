# Version, commit and compiler for reports. The commit is read at configure time.
execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE TESSERA_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT TESSERA_COMMIT)
  set(TESSERA_COMMIT "unknown")
endif()
file(WRITE ${PROJECT_BINARY_DIR}/generated/version.tmp
"#pragma once
// Made by cmake/version.cmake.
namespace tessera {
inline constexpr const char* kVersion = \"${PROJECT_VERSION}\";
inline constexpr const char* kCommit = \"${TESSERA_COMMIT}\";
inline constexpr const char* kCompiler = \"${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}\";
inline constexpr const char* kBuildType = \"${CMAKE_BUILD_TYPE}\";
}  // namespace tessera
")
configure_file(${PROJECT_BINARY_DIR}/generated/version.tmp ${PROJECT_BINARY_DIR}/generated/version.hpp COPYONLY)
