# The list of built-in models, made from the files of this room: src/neurons/NAME.cpp defines
# tessera::NAME::model(). So a new model is one new file.
file(GLOB model_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
list(REMOVE_ITEM model_files exact_integration.cpp document.cpp)
list(SORT model_files)
set(declarations "")
set(functions "")
foreach(file IN LISTS model_files)
  get_filename_component(name ${file} NAME_WE)
  string(APPEND declarations "namespace ${name} { [[nodiscard]] NeuronModel model(); }\n")
  string(APPEND functions "    ${name}::model,\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/builtin_models.hpp @ONLY CONTENT
"#pragma once
// Made by src/neurons/models.cmake.
#include \"tessera/neuron_model.hpp\"
namespace tessera {
@declarations@
inline constexpr NeuronModel (*kBuiltinModels[])() = {
@functions@};
}  // namespace tessera
")
