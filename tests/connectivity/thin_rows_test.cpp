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

// A table of one delay group has one byte per source and chunk, as the counts of thin rows: nothing is gained.
TEST(ThinRows, AreNotThoseOfOneDelayGroup) {
  Network network = thin_network(10.0, 45.0);
  Projection constant = network.projections[0];
  constant.name = "Q";
  constant.delay_ms = Distribution::constant(300.0);
  constant.rule.number = 70'000;  // half a synapse per source and chunk, in a network that has thin rows
  network.projections.push_back(constant);
  const Wiring wiring(network, 3);
  const ThinChoice choice(wiring, choose_weight_units(wiring));
  EXPECT_TRUE(choice.holds(wiring.first_bundle(0)));
  EXPECT_FALSE(choice.holds(wiring.first_bundle(1)));
}

/// A network on one tile.
struct OneTile {
  explicit OneTile(Network description) : network(std::move(description)), wiring(network, 3) {
    wiring.own_all();
    std::vector<std::uint32_t> chunks;
    for (std::uint32_t c = 0; c < wiring.chunks().size(); ++c) wiring.prepare_chunk(c);
    for (const Bundle& b : wiring.bundles()) chunks.push_back(b.chunk);
    layout = lay_out_tile(wiring.chunks(), chunks, {1, 1});
    units = choose_weight_units(wiring);
  }
  [[nodiscard]] RowStoreInput input() const { return {&wiring, &units, &layout, 1}; }

  Network network;
  Wiring wiring;
  TileLayout layout;
  WeightUnits units;
};

using Spikes = std::map<std::int64_t, std::vector<std::uint32_t>>;  ///< sources, per step
using Inputs = std::map<std::pair<std::int64_t, std::uint32_t>, std::int64_t>;  ///< per step and slot

/// What each spike adds where and when, from the rows that the wiring lists; and how many synapses that are per delay.
Inputs inputs_of(const OneTile& tile, const Spikes& spikes, std::map<std::uint32_t, std::size_t>& per_delay) {
  Inputs inputs;
  std::vector<RowSynapse> row;
  for (const auto& [step, sources] : spikes) {
    for (const std::uint32_t source : sources) {
      for (std::size_t b = 0; b < tile.wiring.bundles().size(); ++b) {
        row.clear();
        tile.wiring.list_row(tile.wiring.bundles()[b], source, row);
        for (const RowSynapse& s : row) {
          inputs[{step + s.delay_steps, tile.layout.blocks[b].positive_slot + s.target}] += tile.units.units_of(s.weight, 1);
          ++per_delay[s.delay_steps];
        }
      }
    }
  }
  return inputs;
}

/// Runs the spikes through a store and compares its ring step by step.
void expect_inputs(const OneTile& tile, RowStore& rows, const Spikes& spikes, Inputs left) {
  const RingShape shape = tile.wiring.ring_shape();
  std::vector<std::int32_t> ring(std::size_t{shape.steps()} * shape.slots());
  for (std::int64_t step = 0; step < tile.wiring.max_delay_steps() + 9 && !left.empty(); ++step) {
    rows.deliver(step, ring.data());
    for (std::uint32_t slot = 0; slot < tile.layout.slots; ++slot) {
      std::int32_t& input = ring[shape.row(step) + slot];
      if (input == 0) continue;
      EXPECT_EQ(input, (left[{step, slot}])) << step;
      left.erase({step, slot});
      input = 0;
    }
    const std::vector<std::uint32_t> none;
    const std::span<const std::uint32_t> list(spikes.contains(step) ? spikes.at(step) : none);
    rows.receive(step, {&list, 1});
  }
  EXPECT_TRUE(left.empty());
}

TEST(ThinRows, AreTheRowsOfTheWiringStepByStep) {
  const OneTile tile(thin_network(9.0, 45.0));
  // Spikes of steps 0 and 7, one of them of a source that has spiked before.
  const Spikes spikes{{0, {0, 5, 69'999}}, {7, {5, 12'345}}};
  std::map<std::uint32_t, std::size_t> per_delay;
  const Inputs expected = inputs_of(tile, spikes, per_delay);
  std::size_t synapses = 0;
  for (const auto& [delay, n] : per_delay) synapses += n;
  for (const std::string& target : simd_targets()) {
    for (const bool table : {true, false}) {
      SCOPED_TRACE(target);
      const SimdTarget forced(target);
      const auto rows = make_procedural_rows(tile.input(), table);
      expect_inputs(tile, *rows, spikes, expected);
      EXPECT_EQ(rows->counters().synaptic_events, synapses);
    }
  }
}

// Five synapses of each of 600 sources, delays of 0.1 to 12.8 ms alike: every delay has some 3000 / 128 = 23 of them (none
// with probability 128 exp(-23) = 1e-8), so all groups have words, the first and the last included.
TEST(ThinRows, HaveWordsInEveryDelayGroup) {
  Network network = one_projection(600, 2'000, rule_of(Kind::fixed_total_number, 3'000));
  network.projections[0].weight = Distribution::normal(80.0, 8.0);
  network.projections[0].delay_ms = Distribution::uniform(0.05, 12.85);
  const OneTile tile(network);
  const Bundle& first = tile.wiring.bundles()[0];
  ASSERT_GT(tile.wiring.delays(first).groups, 2u);
  Spikes spikes;
  for (std::uint32_t source = 0; source < 600; ++source) spikes[source % 3].push_back(source);
  std::map<std::uint32_t, std::size_t> per_delay;
  const Inputs expected = inputs_of(tile, spikes, per_delay);
  ASSERT_EQ(per_delay.size(), 128u);
  ASSERT_EQ(per_delay.begin()->first, 1u);
  for (const bool table : {true, false}) {
    const auto rows = make_thin_rows(tile.input(), [](const Bundle&) { return true; }, table);
    expect_inputs(tile, *rows, spikes, expected);
    EXPECT_EQ(rows->counters().synaptic_events, 3'000u);
  }
}

TEST(ThinRows, KeepAByteForEverySourceAndChunk) {
  const OneTile tile(thin_network(9.0, 45.0));
  const auto with = make_procedural_rows(tile.input(), true)->bytes(), without = make_procedural_rows(tile.input(), false)->bytes();
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
