# The machine files of the repository as text inside the library, so that a name is enough: machines/NAME.toml.
file(GLOB machine_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/machines/*.toml)
list(SORT machine_files)
set(machine_texts "")
foreach(file IN LISTS machine_files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND machine_texts "    {\"${name}\", R\"tessera(${text})tessera\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/builtin_machines.hpp @ONLY CONTENT
"#pragma once
// Made by src/machine_file/machines.cmake.
#include \"machine_file/builtin.hpp\"
namespace tessera::io {
inline constexpr BuiltinMachine kBuiltinMachines[] = {
@machine_texts@};
}  // namespace tessera::io
")
