// Networks that a device runs, and what must be equal.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "engine/networks.hpp"

namespace tessera::test {

inline void expect_same_spikes(const Outcome& device, const Outcome& processor, const std::string& what) {
  EXPECT_EQ(device.digest, processor.digest) << what;
  EXPECT_EQ(device.spikes, processor.spikes) << what;
  EXPECT_EQ(device.synapses, processor.synapses) << what;
  EXPECT_TRUE(device.list == processor.list) << what;
}

/// The populations that a device runs, with every rule among them.
inline Network every_rule_of_neurons() {
  Network network = every_rule();
  for (std::size_t p = network.populations.size(); p-- > 0;) {
    if (network.populations[p].kind != Population::Kind::neurons) network.populations.erase(network.populations.begin() + static_cast<std::ptrdiff_t>(p));
  }
  for (Population& p : network.populations) p.model = "iaf_psc_exp";
  std::erase_if(network.projections, [&](const Projection& p) { return p.source == "noise" || p.source == "train"; });
  network.stimuli[2].amplitude_pA = 300.0;  // G, beside its Poisson input
  return network;
}

}  // namespace tessera::test
