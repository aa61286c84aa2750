// The reference documentation of a neuron model, as `tessera models NAME` prints it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/printable.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera {
namespace {

using Row = std::vector<std::string>;

/// Rows with columns padded to their widest entry; the first row is the heading.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format(" {:<{}} ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

/// "> 0", ">= 0", "0 .. 1", "any".
std::string range(const ParameterInfo& p) {
  const bool below = std::isfinite(p.minimum), above = std::isfinite(p.maximum);
  if (!below && !above) return "any";
  if (!above) return fmt::format("{} {}", p.minimum_allowed ? ">=" : ">", p.minimum);
  if (!below) return fmt::format("<= {}", p.maximum);
  return fmt::format("{}{} .. {}", p.minimum_allowed ? "" : "above ", p.minimum, p.maximum);
}

std::string unit(const std::string& name) { return name.empty() ? "-" : name; }

}  // namespace

std::string parameter_table(const std::vector<ParameterInfo>& parameters) {
  std::vector<Row> rows = {{"name", "unit", "default", "range", "meaning"}};
  for (const ParameterInfo& p : parameters) {
    rows.push_back(
        {p.name, unit(p.unit), fmt::format("{}", p.default_value), range(p), p.description});
  }
  return table(rows);
}

std::string document(const NeuronModel& model) {
  std::vector<Row> states = {{"name", "unit", "starts at", "meaning"}};
  for (const StateInfo& s : model.states) {
    states.push_back({s.name, unit(s.unit), s.initial_parameter.empty() ? "0" : s.initial_parameter,
                      s.description});
  }
  return fmt::format(
      "{}: {}\n\nEquations\n{}\n\nWeights of arriving spikes: {}\n\nParameters\n{}\n"
      "State variables (can be initialised and recorded)\n{}\nSource\n{}\n",
      model.name, model.summary, indented(model.equations), unit(model.weight_unit),
      parameter_table(model.parameters), table(states), indented(model.source));
}

}  // namespace tessera
