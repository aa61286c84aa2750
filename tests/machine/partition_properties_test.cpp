// Random networks on random machines: never above a limit, never more runs than next fit, never below the bound; small
// ones equal to the best of all divisions.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <optional>

#include "machine/partition_networks.hpp"
#include "tessera/partition.hpp"

namespace tessera {
namespace {

using namespace partitions;

const NeuronCatalogue kModels = NeuronCatalogue::builtin();
using Runs = std::vector<std::vector<std::uint32_t>>;

struct Case {
  Network network;
  MachineDescription machine;
  std::vector<bool> recurrent;  // by population: all to all onto itself
};

std::uint32_t draw(std::mt19937& random, std::uint32_t low, std::uint32_t high) {
  return std::uniform_int_distribution<std::uint32_t>(low, high)(random);
}

// Populations that send to later ones, by lists or all to all; some reach themselves.
Case random_case(std::mt19937& random, std::uint32_t populations, std::uint32_t most) {
  Case c;
  for (std::uint32_t p = 0; p < populations; ++p) {
    c.network.populations.push_back(neurons("p" + std::to_string(p), draw(random, 1, most)));
    c.recurrent.push_back(draw(random, 0, 3) == 0);
    const std::string& name = c.network.populations[p].name;
    if (c.recurrent[p]) c.network.projections.push_back(all_to_all(name, name));
    for (std::uint32_t q = 0; q < p; ++q) {
      const std::uint32_t kind = draw(random, 0, 3);
      const std::string& source = c.network.populations[q].name;
      if (kind == 0) c.network.projections.push_back(all_to_all(source, name));
      if (kind != 1) continue;
      std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
      for (std::uint32_t t = 0; t < c.network.populations[p].size; ++t) {
        for (std::uint32_t i = draw(random, 0, 6); i > 0; --i) pairs.emplace_back(draw(random, 0, c.network.populations[q].size - 1), t);
      }
      if (!pairs.empty()) c.network.projections.push_back(listed(source, name, pairs));
    }
  }
  c.machine = machine_of(draw(random, 8, 64), draw(random, 0, 2) == 0 ? 0 : draw(random, 6, 40), draw(random, 1, 3));
  if (draw(random, 0, 2) == 0) c.machine.sources.external = draw(random, 20, 200);
  return c;
}

// Next fit in the order of the file; components whole, those above a chip cut, not two of them in one run.
Runs next_fit(const Case& c, const Plain& plain) {
  Runs runs;
  std::vector<std::uint32_t> run;
  std::uint32_t lock = UINT32_MAX;
  const auto close = [&] {
    if (!run.empty()) runs.push_back(run);
    run.clear();
    lock = UINT32_MAX;
  };
  for (std::uint32_t p = 0; p < c.network.populations.size(); ++p) {
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < c.network.populations[p].size; ++i) all.push_back(plain.base[p] + i);
    const bool component = c.recurrent[p] && all.size() > 1;
    if (component && plain.fits(all, c.machine)) {
      std::vector<std::uint32_t> both = run;
      both.insert(both.end(), all.begin(), all.end());
      if (!plain.fits(both, c.machine)) close();
      run.insert(run.end(), all.begin(), all.end());
      continue;
    }
    if (component && lock != UINT32_MAX) close();
    if (component) lock = p;
    for (const std::uint32_t neuron : all) {
      run.push_back(neuron);
      if (plain.fits(run, c.machine)) continue;
      run.pop_back();
      close();
      if (component) lock = p;
      run.push_back(neuron);
    }
  }
  close();
  return runs;
}

// A neuron of too many inputs for all circuits that can be joined: there is no partition.
bool is_hopeless(const Case& c, const Plain& plain) {
  for (std::uint32_t n = 0; n < plain.population.size(); ++n) {
    if (plain.circuits(n, c.machine) > c.machine.circuits.join_at_most && plain.circuits(n, c.machine) > 1) return true;
  }
  return false;
}
// A neuron that needs more sources than a run may have: there may be none.
bool may_be_refused(const Case& c, const Plain& plain) {
  for (std::uint32_t n = 0; n < plain.population.size(); ++n) {
    if (!plain.fits({n}, c.machine)) return true;
  }
  return false;
}

void check(const Case& c, const Partition& p, const Plain& plain) {
  const Runs runs = plain.runs_of(p);
  std::vector<int> times(plain.population.size(), 0);
  for (const auto& run : runs) {
    ASSERT_TRUE(plain.fits(run, c.machine)) << plain.circuits(run, c.machine) << " circuits, " << plain.outside(run) << " sources";
    for (const std::uint32_t n : run) ++times[n];
  }
  ASSERT_TRUE(std::all_of(times.begin(), times.end(), [](int t) { return t == 1; }));
  for (std::size_t r = 0; r < runs.size(); ++r) {
    EXPECT_EQ(p.runs[r].circuits, plain.circuits(runs[r], c.machine));
    EXPECT_EQ(p.runs[r].sources, plain.outside(runs[r]));
  }
  EXPECT_EQ(p.playback_copies, plain.copies(runs));
  EXPECT_LE(p.bound.runs, p.runs.size());
  EXPECT_LE(p.bound.playback_copies, p.playback_copies);
  EXPECT_LE(runs.size(), next_fit(c, plain).size());
  const bool lock_step = std::any_of(p.runs.begin(), p.runs.end(), [](const PartitionRun& r) { return r.component != PartitionRun::kAlone; });
  EXPECT_EQ(plain.is_acyclic(runs), !lock_step);
}

TEST(PartitionProperties, AThousandRandomNetworksKeepAllLimits) {
  std::mt19937 random(1);
  int divided = 0, refused = 0;
  for (int i = 0; i < 1000; ++i) {
    const Case c = random_case(random, draw(random, 1, 6), 40);
    const Plain plain(c.network);
    if (is_hopeless(c, plain)) {
      EXPECT_THROW((void)partition(c.network, kModels, c.machine), InputError) << i;
      ++refused;
      continue;
    }
    SCOPED_TRACE(i);
    std::optional<Partition> found;
    try {
      found = partition(c.network, kModels, c.machine);
    } catch (const InputError& error) {
      ASSERT_TRUE(may_be_refused(c, plain)) << error.what();
      ++refused;
      continue;
    }
    check(c, *found, plain);
    if (testing::Test::HasFatalFailure() || testing::Test::HasNonfatalFailure()) return;
    ++divided;
  }
  EXPECT_GT(divided, 400);
  EXPECT_GT(refused, 20);
}

// All divisions of up to seven neurons, by loops over which run each is in.
struct Best {
  std::size_t runs = SIZE_MAX;
  std::uint64_t copies = 0;
};
Best best_of_all(const Case& c, const Plain& plain) {
  const auto neurons = static_cast<std::uint32_t>(plain.population.size());
  Best best;
  std::vector<std::uint32_t> run_of(neurons, 0);
  for (;;) {
    Runs runs(neurons);
    for (std::uint32_t n = 0; n < neurons; ++n) runs[run_of[n]].push_back(n);
    std::erase_if(runs, [](const auto& r) { return r.empty(); });
    bool right = runs.size() <= best.runs && std::all_of(runs.begin(), runs.end(), [&](const auto& r) { return plain.fits(r, c.machine); });
    for (std::uint32_t n = 1; right && n < neurons; ++n) {  // components stay whole
      if (plain.population[n] == plain.population[n - 1] && c.recurrent[plain.population[n]]) right = run_of[n] == run_of[n - 1];
    }
    if (right && plain.is_acyclic(runs)) {
      const std::uint64_t copies = plain.copies(runs);
      if (runs.size() < best.runs || copies < best.copies) best = {runs.size(), copies};
    }
    std::uint32_t digit = 0;
    while (digit < neurons && ++run_of[digit] == neurons) run_of[digit++] = 0;
    if (digit == neurons) return best;
  }
}

TEST(PartitionProperties, SmallNetworksAreDividedAsWellAsCanBe) {
  std::mt19937 random(2);
  int compared = 0;
  for (int i = 0; i < 120; ++i) {
    Case c = random_case(random, draw(random, 1, 3), 3);
    const Plain plain(c.network);
    if (plain.population.size() > 6) continue;
    c.machine = machine_of(draw(random, 2, 5), draw(random, 1, 4));
    if (draw(random, 0, 1) == 0) c.machine.sources.external = draw(random, 1, 6);
    if (is_hopeless(c, plain) || may_be_refused(c, plain)) continue;
    const Best best = best_of_all(c, plain);
    if (best.runs == SIZE_MAX) continue;  // a component above a chip
    const Partition p = partition(c.network, kModels, c.machine);
    EXPECT_EQ(p.runs.size(), best.runs) << i;
    EXPECT_EQ(p.playback_copies, best.copies) << i;
    ++compared;
  }
  EXPECT_GT(compared, 30);
}

}  // namespace
}  // namespace tessera
