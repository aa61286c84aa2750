// Thin rows: chosen where count tables would be large, and the same synapses as in the wiring, in their steps.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/thin_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "connectivity/connect.hpp"
#include "connectivity/waiting_words.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

/// 70,000 sources send `synapses` each to 2,000 neurons, with delays over some 250 groups.
Network thin_network(double synapses, double sd_ms = 20.0) {
  Network network = one_projection(70'000, 2'000, rule_of(Kind::fixed_total_number, static_cast<std::uint64_t>(70'000 * synapses)));
  network.projections[0].weight = Distribution::normal(80.0, 8.0);
  network.projections[0].delay_ms = Distribution::normal(20.0, sd_ms).within(0.1, 400.0);
  return network;
}

bool is_thin(const Network& network) {
  const Wiring wiring(network, 3);
  return ThinChoice(wiring, choose_weight_units(wiring)).holds(wiring.first_bundle(0));
}

// 70,000 sources, two chunks and n groups are 140,000 n bytes of counts; 64 MB are 457 groups of four steps.
TEST(ThinRows, AreChosenWhereACountTableWouldBeLarge) {
  EXPECT_TRUE(is_thin(thin_network(10.0, 45.0)));   // normal quantiles at 2^-17 reach 20 + 4.3 * 45 ms: 530 groups
  EXPECT_FALSE(is_thin(thin_network(10.0, 20.0)));  // 265 groups
  EXPECT_FALSE(is_thin(thin_network(1500.0, 45.0))) << "a synapse and more per chunk and group";
  Network constant = thin_network(10.0);
  constant.projections[0].delay_ms = Distribution::constant(300.0);
  EXPECT_FALSE(is_thin(constant));
}

TEST(ThinRows, AreTheRowsOfTheWiringStepByStep) {
  const Network network = thin_network(9.0, 45.0);
  Wiring wiring(network, 3);
  wiring.own_all();
  for (std::uint32_t c = 0; c < wiring.chunks().size(); ++c) wiring.prepare_chunk(c);
  std::vector<std::uint32_t> chunks;
  for (const Bundle& b : wiring.bundles()) chunks.push_back(b.chunk);
  const TileLayout layout = lay_out_tile(wiring.chunks(), chunks, {1, 1});
  const WeightUnits units = choose_weight_units(wiring);
  // Spikes of steps 0 and 7, two of them twice in a row; what each adds where and when follows from the wiring.
  const std::map<std::int64_t, std::vector<std::uint32_t>> spikes{{0, {0, 5, 69'999}}, {7, {5, 12'345}}};
  std::map<std::pair<std::int64_t, std::uint32_t>, std::int64_t> expected;
  std::size_t synapses = 0;
  std::vector<RowSynapse> row;
  for (const auto& [step, sources] : spikes) {
    for (const std::uint32_t source : sources) {
      for (std::size_t b = 0; b < wiring.bundles().size(); ++b) {
        row.clear();
        wiring.list_row(wiring.bundles()[b], source, row);
        for (const RowSynapse& s : row) {
          expected[{step + s.delay_steps, layout.blocks[b].positive_slot + s.target}] += units.units_of(s.weight, 1);
        }
        synapses += row.size();
      }
    }
  }
  for (const std::string& target : simd_targets()) {
    for (const bool table : {true, false}) {
      const SimdTarget forced(target);
      const auto rows = make_procedural_rows({&wiring, &units, &layout, 1}, table);
      auto left = expected;
      std::vector<std::int32_t> ring(std::size_t{wiring.ring_shape().steps()} * wiring.ring_shape().slots());
      for (std::int64_t step = 0; step < wiring.max_delay_steps() + 9 && !left.empty(); ++step) {
        rows->deliver(step, ring.data());
        for (std::uint32_t slot = 0; slot < layout.slots; ++slot) {
          std::int32_t& input = ring[wiring.ring_shape().row(step) + slot];
          if (input == 0) continue;
          EXPECT_EQ(input, (left[{step, slot}])) << target << step;
          left.erase({step, slot});
          input = 0;
        }
        const std::vector<std::uint32_t> none;
        const std::span<const std::uint32_t> list(spikes.contains(step) ? spikes.at(step) : none);
        rows->receive(step, {&list, 1});
      }
      EXPECT_TRUE(left.empty()) << target;
      EXPECT_EQ(rows->counters().synaptic_events, synapses);
    }
  }
}

TEST(ThinRows, KeepAByteForEverySourceAndChunk) {
  const Network network = thin_network(9.0, 45.0);
  Wiring wiring(network, 3);
  wiring.own_all();
  for (std::uint32_t c = 0; c < wiring.chunks().size(); ++c) wiring.prepare_chunk(c);
  std::vector<std::uint32_t> chunks;
  for (const Bundle& b : wiring.bundles()) chunks.push_back(b.chunk);
  const TileLayout layout = lay_out_tile(wiring.chunks(), chunks, {1, 1});
  const WeightUnits units = choose_weight_units(wiring);
  const RowStoreInput input{&wiring, &units, &layout, 1};
  const auto with = make_procedural_rows(input, true)->bytes(), without = make_procedural_rows(input, false)->bytes();
  EXPECT_NEAR(static_cast<double>(with - without), 70'000.0 * 2.0, 4096.0);
  EXPECT_LT(without, 50'000u);
}

TEST(WaitingWords, ComeInTheirStepAndLeaveTheirRoom) {
  WaitingWords waiting(20);
  std::vector<RowVisit> visits;
  std::size_t bytes = 0;
  for (std::int64_t step = 0; step < 200; ++step) {
    std::vector<std::uint32_t> due;
    visits.clear();
    waiting.take(step, visits);
    for (const RowVisit& visit : visits) due.insert(due.end(), visit.words, visit.words + visit.count);
    std::sort(due.begin(), due.end());
    // What step s puts in for step s + d is 1000 s + 10 d + k, k < 10 d.
    std::vector<std::uint32_t> wanted;
    for (std::int64_t d = 1; d <= 20 && d <= step; ++d) {
      for (std::int64_t k = 0; k < 10 * d; ++k) wanted.push_back(static_cast<std::uint32_t>(100'000 * (step - d) + 1000 * d + k));
    }
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(due, wanted) << step;
    for (std::int64_t d = 1; d <= 20; ++d) {
      for (std::int64_t k = 0; k < 10 * d; ++k) waiting.add(step + d, static_cast<std::uint32_t>(100'000 * step + 1000 * d + k));
    }
    if (step == 40) bytes = waiting.bytes();
  }
  EXPECT_EQ(waiting.bytes(), bytes);
}

}  // namespace
}  // namespace tessera::test
