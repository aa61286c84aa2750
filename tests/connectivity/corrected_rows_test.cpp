// Rows that are drawn with replacement and then put right: what is drawn, what is written down, and what is taken
// back and added are the listed synapses; and all outcomes are as likely as the rule says, delays included.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "connectivity/connect.hpp"
#include "connectivity/listed_rows.hpp"
#include "support/forced_target.hpp"
#include "support/goodness_of_fit.hpp"

namespace tessera::test {
namespace {

using Drawing = Bundle::Drawing;

const Distribution kManyDelays = Distribution::normal(12.0, 4.0).within(0.1, 24.0);

ConnectivityRule bernoulli(double probability, bool autapses = true) {
  ConnectivityRule rule = rule_of(Kind::pairwise_bernoulli, 0, autapses);
  rule.probability = probability;
  return rule;
}

struct Case {
  ConnectivityRule rule;
  std::uint32_t sources, targets;  ///< no targets: onto itself
  Distribution delay_ms;
};

/// Every rule whose rows are corrected, in populations of several chunks.
std::vector<Case> cases() {
  return {{rule_of(Kind::fixed_total_number, 60000, true, false), 300, 1200, kManyDelays},
          {rule_of(Kind::fixed_total_number, 300000, false, true), 1100, 0, kManyDelays},
          {rule_of(Kind::fixed_outdegree, 300, false, false), 1100, 0, kManyDelays},
          {rule_of(Kind::fixed_outdegree, 5, true, false), 1100, 700, kManyDelays},
          {bernoulli(0.5), 100, 1200, kManyDelays},
          {bernoulli(0.02, false), 1100, 0, kManyDelays},
          {rule_of(Kind::fixed_indegree, 150), 300, 1200, kManyDelays},
          {rule_of(Kind::fixed_indegree, 150, true, false), 300, 1200, Distribution::constant(1.5)},
          {rule_of(Kind::fixed_indegree, 150, false, false), 1100, 0, kManyDelays},
          {rule_of(Kind::fixed_indegree, 1500, false, true), 1100, 0, Distribution::uniform(0.1, 1.4)}};
}

Network network_of(const Case& c) {
  Network network = one_projection(c.sources, c.targets, c.rule);
  network.projections[0].delay_ms = c.delay_ms;
  network.projections[0].weight = Distribution::normal(10.0, 1.0);
  return network;
}

/// Place in the ring and delay group, and weight in units.
using Words = std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t>;

/// A store of words that keeps nothing but their sums: what a ring of all delays would hold.
void add_words(const WordRow<std::uint32_t>& row, Words& sums) {
  const std::uint32_t* words = row.words();
  for (const RowPart& part : row.parts()) {
    for (std::uint32_t k = 0; k < part.count; ++k, ++words) {
      sums[{*words & kRingMask, part.group}] += static_cast<std::int32_t>(*words) >> kWeightShift;
    }
  }
}

Words without_zeros(Words sums) {
  for (auto at = sums.begin(); at != sums.end();) at = at->second == 0 ? sums.erase(at) : std::next(at);
  return sums;
}

struct Rows {
  explicit Rows(const Case& c) : Rows(network_of(c)) {}
  explicit Rows(const Network& described) : network(described), wiring(network, 7) {
    wiring.own_all();
    for (std::uint32_t chunk = 0; chunk < wiring.chunks().size(); ++chunk) wiring.prepare_chunk(chunk);
    units = choose_weight_units(wiring);
    blocks.resize(wiring.bundles().size());
    for (const Bundle& bundle : wiring.bundles()) {
      blocks[bundle.index] = {bundle.chunk, 100, 3000};
      rows.add(wiring, units, bundle, blocks[bundle.index]);
    }
  }
  [[nodiscard]] Words listed(const Bundle& bundle, std::uint32_t source, std::size_t& n) const {
    std::vector<RowSynapse> synapses;
    wiring.list_row(bundle, source, synapses);
    n = synapses.size();
    Words sums;
    const RingShape shape = wiring.ring_shape();
    for (const RowSynapse& s : synapses) {
      const std::uint32_t d = s.delay_steps - 1;
      sums[{100 + s.target + shape.row(d), d >> shape.step_bits}] += units.units_of(s.weight, bundle.targets.population);
    }
    return sums;
  }
  Network network;
  Wiring wiring;
  WeightUnits units;
  std::vector<BlockLayout> blocks;
  ListedRows rows;
};

TEST(CorrectedRows, RulesThatAreCorrected) {
  for (const Case& c : cases()) {
    const Rows rows(c);
    ASSERT_GE(rows.wiring.bundles().size(), 2u);
    for (const Bundle& bundle : rows.wiring.bundles()) EXPECT_EQ(bundle.drawing, Drawing::corrected) << to_string(c.rule.kind);
  }
}

// Whole rows, and draws with their corrections, on every instruction set.
TEST(CorrectedRows, WordsAreTheListedSynapses) {
  for (const Case& c : cases()) {
    const Rows rows(c);
    for (const std::string& target : simd_targets()) {
      const SimdTarget forced(target);
      WordRow<std::uint32_t> row;
      std::size_t taken = 0;
      for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const Bundle& bundle = rows.rows.bundle(i);
        const DelayTable& delays = rows.wiring.delays(bundle);
        for (std::uint32_t source = 0; source < c.sources; source += 13) {
          std::size_t n = 0;
          const Words expected = rows.listed(bundle, source, n);
          row.clear();
          rows.rows.draw(i, source, rows.wiring.share(bundle, source), row);
          row.sort();
          Words drawn;
          add_words(row, drawn);
          ASSERT_EQ(drawn, expected) << target << " " << to_string(c.rule.kind) << " " << source;
          ASSERT_EQ(row.size(), n);

          std::vector<std::uint32_t> counts(delays.groups), taken_back(kMaxDelayGroups, 0);
          const std::uint32_t draws = rows.wiring.count(bundle, source);
          rows.wiring.split_delays(bundle, source, draws, counts.data());
          Words sums;
          for (std::uint32_t g = 0; g < delays.groups; ++g) {
            for (std::uint32_t k = 0; k < counts[g]; ++k) {  // the uniform draw, as draw_rows.hpp says
              const std::uint32_t group = delays.first_group + g;
              const std::uint32_t word = random_words(rows.wiring.key(), Purpose::synapse, group << 20 | k / 4, source, bundle.id)[k % 4];
              const std::uint64_t product = std::uint64_t{word} * bundle.targets.size;
              const auto fraction = static_cast<std::uint32_t>(product);
              const std::uint32_t step = delays.step_of(group, fraction << 10 >> 22);
              sums[{100 + static_cast<std::uint32_t>(product >> 32) + rows.wiring.ring_shape().row(step), group}] +=
                  rows.units.units_of(rows.wiring.weights(bundle).values[fraction >> 22], bundle.targets.population);
            }
          }
          row.clear();
          rows.rows.correct(i, source, counts.data(), row, taken_back.data());
          row.sort();
          add_words(row, sums);
          ASSERT_EQ(without_zeros(sums), expected) << target << " " << to_string(c.rule.kind) << " " << source;
          std::size_t back = 0;
          for (const std::uint32_t t : taken_back) back += t;
          ASSERT_EQ(draws + row.size() - 2 * back, n);
          taken += back;
        }
      }
      EXPECT_GT(taken, 0u) << "nothing was put right";
    }
  }
}

// Rows that are a target and nothing else, of several sources at once: any of them, the first and the last, one of them
// twice, none, or fifty times six. With cells, with stubs, and with what these drop and add.
TEST(ListedRows, RowsDrawnAsOneAreTheListedOnes) {
  const struct {
    ConnectivityRule rule;
    std::uint32_t sources, targets;
    bool cells, exceptions;
  } kinds[] = {{rule_of(Kind::fixed_indegree, 20), 3000, 1200, true, false},
               {rule_of(Kind::fixed_indegree, 40, false, true), 1100, 0, false, true},
               {rule_of(Kind::fixed_indegree, 40, true, false), 1100, 0, false, true},
               {rule_of(Kind::fixed_indegree, 40), 500, 1100, false, false}};
  for (const auto& kind : kinds) {
    const Rows rows(one_projection(kind.sources, kind.targets, kind.rule));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
      const Bundle& bundle = rows.rows.bundle(i);
      ASSERT_TRUE(rows.rows.draws_together(i));
      ASSERT_EQ(rows.wiring.cells(bundle) != nullptr, kind.cells);
      ASSERT_EQ(!rows.wiring.exceptions(bundle).empty(), kind.exceptions);
      std::vector<std::vector<std::uint32_t>> several = {{}, {0}, {kind.sources - 1}, {7, 3, 3, 250, 8, 9}};
      for (std::uint32_t from = 0; from < 300; from += 6) several.push_back({from, from + 1, from + 2, from + 3, from + 4, from + 5});
      for (const std::vector<std::uint32_t>& sources : several) {
        std::vector<Wiring::Share> shares;
        Words expected;
        std::size_t n = 0;
        for (const std::uint32_t source : sources) {
          std::size_t here = 0;
          for (const auto& [place, weight] : rows.listed(bundle, source, here)) expected[place] += weight;
          shares.push_back(rows.wiring.share(bundle, source));
          n += here;
        }
        for (const std::string& target : simd_targets()) {
          const SimdTarget forced(target);
          WordRow<std::uint32_t> row;
          rows.rows.draw_together(i, sources.size(), sources.data(), shares.data(), row);
          row.sort();
          Words drawn;
          add_words(row, drawn);
          EXPECT_EQ(drawn, expected) << target << " " << kind.rule.number << " " << sources.size();
          EXPECT_EQ(row.size(), n);
        }
      }
    }
  }
  // Drawn weights and delays belong to a source's row, and most of all pairs are drawn as what is missing.
  Network network = one_projection(1100, 0, rule_of(Kind::fixed_indegree, 40, true, false));
  network.projections[0].weight = Distribution::normal(10.0, 1.0);
  EXPECT_FALSE(Rows(network).rows.draws_together(0));
  EXPECT_FALSE(Rows(one_projection(60, 0, rule_of(Kind::fixed_indegree, 55, true, false))).rows.draws_together(0));
}

// Tiny networks: every outcome is counted. An outcome is the ordered list of its synapses, each the number
// 100 x source + 10 x target, and one more where its delay is above 32 steps.
using Outcome = std::vector<std::uint32_t>;
using Chances = std::map<Outcome, double>;

constexpr double kLongest = 9.7, kEarly = 3.25;  // ms; delays are even, so an early one has a chance of 0.328
const Distribution kTwoDelays = Distribution::uniform(0.1, kLongest);
constexpr double kLate = (kLongest - kEarly) / (kLongest - 0.1);

Outcome joined(const Outcome& a, const Outcome& b) {
  Outcome both = a;
  both.insert(both.end(), b.begin(), b.end());
  std::sort(both.begin(), both.end());
  return both;
}

/// Independent parts of a network.
Chances product(const Chances& a, const Chances& b) {
  Chances both;
  for (const auto& [x, chance_x] : a) {
    for (const auto& [y, chance_y] : b) both[joined(x, y)] += chance_x * chance_y;
  }
  return both;
}

/// Every synapse has a delay of its own.
Chances delayed(const Chances& pairs) {
  Chances all;
  for (const auto& [outcome, chance] : pairs) {
    for (std::uint32_t late = 0; late < 1u << outcome.size(); ++late) {
      Outcome with_delays = outcome;
      double both = chance;
      for (std::size_t i = 0; i < outcome.size(); ++i) {
        with_delays[i] += late >> i & 1;
        both *= (late >> i & 1) == 1 ? kLate : 1.0 - kLate;
      }
      std::sort(with_delays.begin(), with_delays.end());
      all[with_delays] += both;
    }
  }
  return all;
}

/// Any k of these pairs.
Chances any_set(const Outcome& pairs, std::size_t k) {
  Chances all;
  for (std::uint32_t set = 0; set < 1u << pairs.size(); ++set) {
    Outcome outcome;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if ((set >> i & 1) == 1) outcome.push_back(pairs[i]);
    }
    if (outcome.size() == k) all[outcome] = 1.0;
  }
  for (auto& [outcome, chance] : all) chance = 1.0 / static_cast<double>(all.size());
  return all;
}

/// n of these pairs, each drawn from all.
Chances any_draws(const Outcome& pairs, std::size_t n) {
  Chances one, all = {{{}, 1.0}};
  for (const std::uint32_t pair : pairs) one[{pair}] = 1.0 / static_cast<double>(pairs.size());
  for (std::size_t i = 0; i < n; ++i) all = product(all, one);
  return all;
}

void expect_outcomes(Network network, std::uint32_t seeds, const Chances& chances, std::uint32_t targets = 10) {
  network.projections[0].delay_ms = kTwoDelays;
  {
    Wiring wiring(network, 0);
    wiring.own_all();
    ASSERT_EQ(wiring.bundles().size(), 1u);
    ASSERT_EQ(wiring.bundles()[0].drawing, Drawing::corrected);
    ASSERT_GE(wiring.delays(wiring.bundles()[0]).groups, 2u);
  }
  std::map<Outcome, double> seen;
  for (std::uint32_t seed = 0; seed < seeds; ++seed) {
    Wiring wiring(network, seed);
    wiring.own_all();
    wiring.prepare_chunk(wiring.bundles()[0].chunk);
    Outcome outcome;
    for (std::uint32_t source = 0; source < network.populations[0].size; ++source) {
      std::vector<RowSynapse> row;
      wiring.list_row(wiring.bundles()[0], source, row);
      for (const RowSynapse& s : row) {
        if (s.target < targets) outcome.push_back(source * 100 + s.target * 10 + (s.delay_steps > 32 ? 1 : 0));
      }
    }
    std::sort(outcome.begin(), outcome.end());
    seen[outcome] += 1.0;
  }
  std::vector<double> counts, expected;
  double total = 0.0;
  for (const auto& [outcome, chance] : chances) {
    counts.push_back(seen[outcome]);
    expected.push_back(chance * seeds);
    total += chance;
  }
  EXPECT_NEAR(total, 1.0, 1e-9);
  EXPECT_EQ(seen.size(), chances.size()) << "outcomes that cannot be";
  EXPECT_TRUE(fits(counts, expected));
}

TEST(CorrectedRows, EverySetOfTargetsIsEquallyLikely) {
  Chances chances = {{{}, 1.0}};
  for (const std::uint32_t source : {0u, 100u}) chances = product(chances, delayed(any_set({source, source + 10, source + 20, source + 30}, 2)));
  expect_outcomes(one_projection(2, 4, rule_of(Kind::fixed_outdegree, 2, true, false)), 20000, chances);
}

TEST(CorrectedRows, EverySetOfPairsIsEquallyLikely) {
  const Chances chances = delayed(any_set({0, 10, 20, 100, 110, 120}, 3));
  expect_outcomes(one_projection(2, 3, rule_of(Kind::fixed_total_number, 3, true, false)), 20000, chances);
}

TEST(CorrectedRows, EveryDrawOfOtherNeuronsIsEquallyLikely) {
  Chances chances = {{{}, 1.0}};
  for (std::uint32_t source = 0; source < 3; ++source) {
    Outcome others;
    for (std::uint32_t target = 0; target < 3; ++target) {
      if (target != source) others.push_back(100 * source + 10 * target);
    }
    chances = product(chances, delayed(any_draws(others, 2)));
  }
  expect_outcomes(one_projection(3, 0, rule_of(Kind::fixed_outdegree, 2, false, true)), 20000, chances);
}

TEST(CorrectedRows, PairsAreIndependent) {
  for (const bool self : {false, true}) {
    Chances chances = {{{}, 1.0}};
    for (std::uint32_t source = 0; source < (self ? 3u : 2u); ++source) {
      for (std::uint32_t target = 0; target < 3; ++target) {
        if (self && source == target) continue;
        chances = product(chances, delayed({{{}, 0.6}, {{100 * source + 10 * target}, 0.4}}));
      }
    }
    expect_outcomes(one_projection(self ? 3 : 2, self ? 0 : 3, bernoulli(0.4, !self)), 20000, chances);
  }
}

// Two sources onto sixteen targets, of which two are looked at (cells take what has fewer synapses).
TEST(CorrectedRows, TargetsDrawTheirSources) {
  const Chances chances = product(delayed(any_draws({0, 100}, 2)), delayed(any_draws({10, 110}, 2)));
  expect_outcomes(one_projection(2, 16, rule_of(Kind::fixed_indegree, 2)), 20000, chances, 2);
}

TEST(CorrectedRows, EverySetOfSourcesIsEquallyLikely) {
  const Chances one = any_set({0, 100, 200, 300, 400, 500, 600, 700}, 4);
  expect_outcomes(one_projection(8, 1, rule_of(Kind::fixed_indegree, 4, true, false)), 20000, delayed(one));
}

TEST(CorrectedRows, EverySetOfOtherSourcesIsEquallyLikely) {
  const Chances one = any_set({100, 200, 300, 400, 500, 600, 700}, 4);
  expect_outcomes(one_projection(8, 0, rule_of(Kind::fixed_indegree, 4, false, false)), 20000, delayed(one), 1);
}

}  // namespace
}  // namespace tessera::test
