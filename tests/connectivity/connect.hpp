// Networks of one projection, and what its synapses look like.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tessera/simulation.hpp"

namespace tessera::test {

using Kind = ConnectivityRule::Kind;
using Synapses = std::vector<ConnectivityRule::Synapse>;

inline Population neurons_of(const std::string& name, std::uint32_t size) {
  Population p;
  p.name = name;
  p.size = size;
  p.model = "iaf_psc_exp";
  return p;
}

inline ConnectivityRule rule_of(Kind kind, std::uint64_t number = 0, bool autapses = true, bool multapses = true) {
  ConnectivityRule rule;
  rule.kind = kind;
  rule.number = number;
  rule.autapses = autapses;
  rule.multapses = multapses;
  return rule;
}

/// "A" to "B" (or "A" to itself when `targets` is 0), weight 10 pA, delay 1.5 ms.
inline Network one_projection(std::uint32_t sources, std::uint32_t targets, const ConnectivityRule& rule) {
  Network network;
  network.populations = {neurons_of("A", sources)};
  if (targets > 0) network.populations.push_back(neurons_of("B", targets));
  Projection p;
  p.name = "P";
  p.source = "A";
  p.target = targets > 0 ? "B" : "A";
  p.rule = rule;
  p.weight = Distribution::constant(10.0);
  p.delay_ms = Distribution::constant(1.5);
  network.projections = {p};
  return network;
}

inline Synapses synapses_of(const Network& network, std::uint64_t seed = 1) {
  return list_synapses(network, NeuronCatalogue::builtin(), seed, "P");
}

inline std::vector<std::uint32_t> out_degrees(const Synapses& synapses, std::uint32_t sources) {
  std::vector<std::uint32_t> degrees(sources, 0);
  for (const auto& s : synapses) ++degrees.at(s.source);
  return degrees;
}
inline std::vector<std::uint32_t> in_degrees(const Synapses& synapses, std::uint32_t targets) {
  std::vector<std::uint32_t> degrees(targets, 0);
  for (const auto& s : synapses) ++degrees.at(s.target);
  return degrees;
}
inline bool has_autapse(const Synapses& synapses) {
  for (const auto& s : synapses) {
    if (s.source == s.target) return true;
  }
  return false;
}
inline std::set<std::pair<std::uint32_t, std::uint32_t>> pairs_of(const Synapses& synapses) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const auto& s : synapses) pairs.emplace(s.source, s.target);
  return pairs;
}
inline bool has_multapse(const Synapses& synapses) { return pairs_of(synapses).size() != synapses.size(); }

}  // namespace tessera::test
