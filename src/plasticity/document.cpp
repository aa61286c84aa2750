// The reference documentation of a rule of plasticity, as `tessera models NAME` prints it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/printable.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera {
std::string document(const PlasticityModel& model) {
  return fmt::format(
      "{}: {}\n\nEquations\n{}\n\nParameters (weight: in the unit of the weights of the projection's "
      "target)\n{}\nSource\n{}\n",
      model.name, model.summary, indented(model.equations), parameter_table(model.parameters),
      indented(model.source));
}

namespace {

std::string table_of(const std::vector<WordInfo>& words) {
  std::string text;
  for (const WordInfo& word : words) {
    std::string allowed;
    for (const std::string& one : word.allowed) allowed += (allowed.empty() ? "" : ", ") + one;
    text += fmt::format("  {:20} \"{}\"  {}{}\n", word.name, word.fallback, word.about, allowed.empty() ? "" : ": " + allowed);
  }
  return text;
}

}  // namespace

std::string document(const StructuralModel& model) {
  return fmt::format(
      "{}: {}\n\nWhat it does\n{}\n\nParameters (weight: in the unit of the weights of the projection's "
      "target)\n{}{}\nSource\n{}\n",
      model.name, model.summary, indented(model.description), parameter_table(model.parameters), table_of(model.words),
      indented(model.source));
}

}  // namespace tessera
