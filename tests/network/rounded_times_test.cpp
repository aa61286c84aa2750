// What is said about times that are no multiples of dt.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "network/rounded_times.hpp"

namespace tessera {
namespace {

Network with_train(std::vector<Population::TrainSpike> spikes) {
  Network network;
  network.populations.resize(1);
  network.populations[0].name = "S";
  network.populations[0].kind = Population::Kind::spike_train_source;
  network.populations[0].size = 3;
  network.populations[0].train = std::move(spikes);
  return network;
}

TEST(RoundedTimes, CountsListedSpikesThatMoveAndThatFallTogether) {
  EXPECT_TRUE(rounded_times(with_train({{0.0, 0}, {0.3, 0}, {0.1 + 0.2, 1}, {1e5 + 0.1, 2}})).empty());
  // 1.02 and 0.98 join 1.0 of neuron 0; 2.0 is given twice; 1.0 of neuron 1 is another neuron's.
  const auto said = rounded_times(
      with_train({{1.0, 0}, {1.02, 0}, {0.98, 0}, {1.0, 1}, {2.0, 2}, {2.0, 2}, {3.04, 1}}));
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0], "3 of the 7 spike times of 'S' are not multiples of dt (0.1 ms); they are rounded to "
                     "the nearest.");
  EXPECT_EQ(said[1], "Spikes of 'S' that fall into the same step as another one of their neuron: 3; each is sent.");
}

TEST(RoundedTimes, NamesWindowsTooShortForAStep) {
  Network network = with_train({});
  Stimulus blink;
  blink.name = "blink";
  blink.start_ms = 1.0;
  blink.duration_ms = 0.04;
  Stimulus seen = blink;  // from 1.04 to 1.08 ms: step 10 to 11
  seen.name = "seen";
  seen.start_ms = 1.04;
  network.stimuli = {blink, seen};
  network.populations[0].kind = Population::Kind::poisson_source;
  network.populations[0].duration_ms = 0.05;
  network.populations[0].interval_ms = 1.0;
  const auto said = rounded_times(network);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_NE(said[0].find("pulses of 'S' last 0.05 ms"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("Stimulus 'blink' lasts 0.04 ms"), std::string::npos) << said[1];
  network.populations[0].interval_ms = 0.0;
  network.populations[0].duration_ms = 0.04;
  EXPECT_NE(rounded_times(network)[0].find("pulse of 'S' lasts 0.04 ms"), std::string::npos);
}

}  // namespace
}  // namespace tessera
