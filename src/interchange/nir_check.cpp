// What single nodes of a NIR file must be like.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "interchange/nir_graph.hpp"

namespace tessera::nir {
namespace {

std::string types_text() {
  std::string text;
  for (const Primitive& p : primitives()) text += (text.empty() ? "" : ", ") + std::string(p.type);
  return text;
}

void check_node(const Graph& graph, const Node& node, std::vector<Problem>& problems) {
  const Primitive* primitive = find_primitive(node.type);
  if (primitive == nullptr) {
    std::vector<std::string> types;
    for (const Primitive& p : primitives()) types.emplace_back(p.type);
    problems.push_back(graph.problem(node, fmt::format("has the type '{}'; possible are {}.{}", node.type, types_text(),
                                                       did_you_mean(node.type, types))));
    return;
  }
  std::string missing;
  for (const std::string& field : primitive->needed) {
    if (!node.arrays.contains(field)) missing += (missing.empty() ? "" : ", ") + field;
  }
  if (!missing.empty())
    problems.push_back(graph.problem(node, fmt::format("is a {} and has no {}.", node.type, missing)));
  for (const auto& [field, array] : node.arrays) {
    if (std::all_of(array.values.begin(), array.values.end(), [](double x) { return std::isfinite(x); })) continue;
    problems.push_back(graph.problem(node, field + " has values that are not finite."));
  }
}

}  // namespace

const std::vector<Primitive>& primitives() {
  static const std::vector<Primitive> kAll{
      {"Input", {"shape"}, {}},
      {"Output", {"shape"}, {}},
      {"Affine", {"weight", "bias"}, {}},
      {"Linear", {"weight"}, {}},
      {"Scale", {"scale"}, {}},
      {"Conv2d", {"weight", "stride", "padding", "dilation", "groups"}, {"bias", "input_shape"}},
      {"AvgPool2d", {"kernel_size", "stride", "padding"}, {}},
      {"SumPool2d", {"kernel_size", "stride", "padding"}, {}},
      {"Flatten", {}, {"start_dim", "end_dim", "input_type"}},
      {"LIF", {"tau", "r", "v_leak", "v_threshold"}, {"v_reset"}},
      {"CubaLIF", {"tau_syn", "tau_mem", "r", "v_leak", "v_threshold"}, {"v_reset", "w_in"}},
      {"LI", {"tau", "r", "v_leak"}, {}},
      {"IF", {"r", "v_threshold"}, {"v_reset"}}};
  return kAll;
}

const Primitive* find_primitive(const std::string& type) {
  const auto found =
      std::find_if(primitives().begin(), primitives().end(), [&](const Primitive& p) { return type == p.type; });
  return found == primitives().end() ? nullptr : &*found;
}

void check_nodes(const Graph& graph, std::vector<Problem>& problems) {
  for (const Node& node : graph.nodes) check_node(graph, node, problems);
}

}  // namespace tessera::nir
