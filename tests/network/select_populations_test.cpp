// Populations by name, area and pattern; whose spikes are recorded.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/select_populations.hpp"

#include <gtest/gtest.h>

namespace tessera {
namespace {

using Places = std::vector<std::size_t>;
const std::vector<std::string> kNames = {"V1.23E", "V1.23I", "V1.4E", "V2.23E", "V4", "V4.23E", "L4E", "V4t.6E"};

TEST(SelectPopulations, ByNameThenAreaThenPattern) {
  EXPECT_EQ(select_populations(kNames, "V1.4E"), Places{2});
  EXPECT_EQ(select_populations(kNames, "V1"), (Places{0, 1, 2}));
  EXPECT_EQ(select_populations(kNames, "V4"), Places{4}) << "a population goes before an area";
  EXPECT_EQ(select_populations(kNames, "V4t"), Places{7});
  EXPECT_EQ(select_populations(kNames, "V1.*"), (Places{0, 1, 2}));
  EXPECT_EQ(select_populations(kNames, "*.23E"), (Places{0, 3, 5}));
  EXPECT_EQ(select_populations(kNames, "V?.23?"), (Places{0, 1, 3, 5}));
  EXPECT_EQ(select_populations(kNames, "*2*E"), (Places{0, 3, 5}));
  EXPECT_EQ(select_populations(kNames, "V*"), (Places{0, 1, 2, 3, 4, 5, 7}));
  EXPECT_EQ(select_populations(kNames, "**"), (Places{0, 1, 2, 3, 4, 5, 6, 7}));
  for (const char* none : {"", "v1", "V", "V1.", ".23E", "V1.4", "?", "V3*", "V1.4E?", "*X"}) {
    EXPECT_EQ(select_populations(kNames, none), Places{}) << none;
  }
}

TEST(SelectPopulations, NoneIsToldWithTheNearest) {
  EXPECT_EQ(not_selected(kNames, "V1.23F"), "There is no population or area named 'V1.23F'. Did you mean 'V1.23E'?");
  EXPECT_EQ(not_selected(kNames, "V5t"), "There is no population or area named 'V5t'. Did you mean 'V4t'?");
  EXPECT_EQ(not_selected(kNames, "X*"), "No population has a name like 'X*'.");
  EXPECT_EQ(not_selected({"E", "In"}, "Im"), "There is no population named 'Im'. Did you mean 'In'?");
}

TEST(SelectPopulations, RecordedNeuronsAreTheFirstOnesOfTheNamed) {
  Network network;
  for (const auto& [name, size] : {std::pair("A", 10u), {"B", 20u}, {"C", 30u}}) {
    network.populations.emplace_back();
    network.populations.back().name = name;
    network.populations.back().size = size;
  }
  EXPECT_EQ(recorded_neurons(network), (std::vector<std::uint32_t>{10, 20, 30}));
  network.spike_recorders = {{"C", 5}, {"A"}, {"C", 7}, {"A", 3}};  // of several the largest
  EXPECT_EQ(recorded_neurons(network), (std::vector<std::uint32_t>{10, 0, 7}));
  network.spike_recorders = {{"B", 21}};
  EXPECT_EQ(recorded_neurons(network), (std::vector<std::uint32_t>{0, 20, 0}));
}

TEST(SelectPopulations, RecordersAreValidated) {
  Network network;
  network.populations.emplace_back();
  network.populations.back().name = "cells";
  network.spike_recorders = {{"cell", 1}, {"cells", 0}};
  std::string all;
  for (const Problem& problem : validate(network, NeuronCatalogue::builtin())) all += problem.message + "\n";
  EXPECT_NE(all.find("There is no population named 'cell'. Did you mean 'cells'?"), std::string::npos) << all;
  EXPECT_NE(all.find("must be at least 1"), std::string::npos) << all;
}

}  // namespace
}  // namespace tessera
