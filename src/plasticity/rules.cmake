# The list of built-in rules of plasticity, made from the files of this room: src/plasticity/NAME.cpp defines
# tessera::NAME::rule(). So a new rule is one new file.
file(GLOB rule_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
list(REMOVE_ITEM rule_files document.cpp guetig.cpp transmit_row.cpp)
list(SORT rule_files)
list(LENGTH rule_files number_of_rules)
set(declarations "")
set(functions "")
foreach(file IN LISTS rule_files)
  get_filename_component(name ${file} NAME_WE)
  string(APPEND declarations "namespace ${name} { [[nodiscard]] PlasticityModel rule(); }\n")
  string(APPEND functions "    ${name}::rule,\n")
endforeach()
# The same of structural rules: src/plasticity/structural/NAME.cpp defines tessera::NAME::structural_rule().
file(GLOB structural_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_LIST_DIR}/structural ${CMAKE_CURRENT_LIST_DIR}/structural/*.cpp)
list(SORT structural_files)
list(LENGTH structural_files number_of_structural_rules)
set(structural_declarations "")
set(structural_functions "")
foreach(file IN LISTS structural_files)
  get_filename_component(name ${file} NAME_WE)
  string(APPEND structural_declarations "namespace ${name} { [[nodiscard]] StructuralModel structural_rule(); }\n")
  string(APPEND structural_functions "    ${name}::structural_rule,\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/builtin_rules.hpp @ONLY CONTENT
"#pragma once
// Made by src/plasticity/rules.cmake.
#include <array>
#include \"tessera/plasticity_model.hpp\"
#include \"tessera/structural_rule.hpp\"
namespace tessera {
@declarations@
inline constexpr std::array<PlasticityModel (*)(), @number_of_rules@> kBuiltinRules = {
@functions@};
@structural_declarations@
inline constexpr std::array<StructuralModel (*)(), @number_of_structural_rules@> kBuiltinStructuralRules = {
@structural_functions@};
}  // namespace tessera
")
