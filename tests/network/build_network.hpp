// A small valid network that tests change in one place.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tessera/network.hpp"

namespace tessera::test {

/// Whether a text contains a part; shows the whole text when it does not.
inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
}

inline Population neurons(const std::string& name, std::uint32_t size) {
  Population p;
  p.name = name;
  p.size = size;
  p.model = "iaf_psc_exp";
  return p;
}

inline Projection project(const std::string& source, const std::string& target) {
  Projection p;
  p.name = source + "->" + target;
  p.source = source;
  p.target = target;
  p.rule.kind = ConnectivityRule::Kind::fixed_indegree;
  p.rule.number = 10;
  p.weight = Distribution::constant(50.0);
  p.delay_ms = Distribution::constant(1.5);
  return p;
}

/// Populations A (100 neurons) and B (50), and a projection from A to B.
inline Network two_populations() {
  Network network;
  network.name = "test";
  network.populations = {neurons("A", 100), neurons("B", 50)};
  network.projections = {project("A", "B")};
  return network;
}

/// All messages with their key paths, one per line.
inline std::string problems_of(const Network& network) {
  std::string text;
  for (const Problem& p : validate(network, NeuronCatalogue::builtin())) {
    text += p.where.key_path + ": " + p.message + "\n";
  }
  return text;
}

}  // namespace tessera::test
