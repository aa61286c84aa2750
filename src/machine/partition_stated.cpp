// What a user says is to be in one run: checked whole, and completed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "machine/partition_orders.hpp"
#include "machine/partition_result.hpp"

namespace tessera {
namespace {

std::string range_text(const std::string& name, std::uint32_t first, std::uint32_t count) {
  return count == 1 ? fmt::format("{}[{}]", name, first) : fmt::format("{}[{}:{}]", name, first, std::uint64_t{first} + count);
}

class Statement {
 public:
  Statement(const std::vector<Group>& groups, Limits& limits, const PartitionOptions& options)
      : groups_(groups), limits_(limits), options_(options), n_(limits.network()), owner_(n_.populations.size()) {}

  Runs checked() {
    for (const StatedSlice& s : options_.stated) place(s);
    for (std::uint32_t p = 0; p < n_.populations.size(); ++p) require_whole(p);
    Runs runs;
    for (auto& [number, slices] : stated_) runs.push_back(sorted(std::move(slices)));
    for (std::size_t r = 0; r < runs.size(); ++r) check_limits(runs[r], r + 1);
    if (!options_.lock_step) check_components();
    if (!problems_.empty()) throw InputError(problems_);
    return runs;
  }
  [[nodiscard]] bool is_stated(std::uint32_t population) const { return !owner_[population].empty(); }

 private:
  void place(const StatedSlice& s) {
    std::vector<std::string> names;
    for (const DividedPopulation& p : n_.populations) names.push_back(p.name);
    const auto found = std::find(names.begin(), names.end(), s.population);
    if (found == names.end()) {
      problems_.push_back({s.where, fmt::format("There is no {} '{}' to put into a run.{}", n_.training ? "layer" : "population of neurons", s.population,
                                                did_you_mean(s.population, names))});
      return;
    }
    const auto p = static_cast<std::uint32_t>(found - names.begin());
    const std::uint32_t size = n_.populations[p].size;
    const std::uint64_t end = s.count > 0 ? std::uint64_t{s.first} + s.count : size;
    if (s.first >= size || end > size) {
      problems_.push_back({s.where, fmt::format("'{}' goes beyond the {} neurons of '{}'.", range_text(s.population, s.first, s.count > 0 ? s.count : 1), size, s.population)});
      return;
    }
    std::vector<std::uint32_t>& owner = owner_[p];
    if (owner.empty()) owner.assign(size, kNone);
    where_.try_emplace(p, s.where);
    std::uint32_t repeated = 0, first_repeated = 0;
    for (std::uint32_t i = s.first; i < end; ++i) {
      if (owner[i] != kNone && repeated++ == 0) first_repeated = i;
      if (owner[i] == kNone) stated_[s.run].push_back({p, i, 1});
      owner[i] = s.run;
    }
    if (repeated > 0)
      problems_.push_back({s.where, fmt::format("'{}' repeats {} of the neurons that are in a run already, from {} on.", range_text(s.population, s.first, static_cast<std::uint32_t>(end - s.first)),
                                                repeated, first_repeated)});
  }
  void require_whole(std::uint32_t p) {
    const auto& owner = owner_[p];
    const auto missing = std::count(owner.begin(), owner.end(), kNone);
    if (missing == 0) return;
    const auto first = std::find(owner.begin(), owner.end(), kNone) - owner.begin();
    problems_.push_back({where_.at(p), fmt::format("{} neurons of '{}' are in no run, from {} on; a population that is named at all must be named whole.", missing,
                                                   n_.populations[p].name, first)});
  }
  void check_limits(const Slices& run, std::size_t number) {
    for (const Limits::Excess& e : limits_.exceeded(limits_.usage(run))) {
      std::string names;
      for (const PartitionSlice& s : run) {
        const std::string& name = n_.populations[s.population].name;
        if (names.find("'" + name + "'") == std::string::npos) names += (names.empty() ? "'" : ", '") + name + "'";
      }
      const SourceLocation where = where_.count(run.front().population) ? where_.at(run.front().population) : SourceLocation{};
      problems_.push_back({where, fmt::format("Run {} ({}) exceeds its {}: {:.6g} of {:.6g}, {:.6g} too many. Fewer neurons in this run would help.", number, names, e.limit,
                                              e.used, e.available, e.used - e.available)});
    }
  }
  void check_components() {
    for (const Group& g : groups_) {
      if (!g.recurrent) continue;
      std::uint32_t first = kNone;
      bool any = false, split = false;
      for (const PartitionSlice& s : g.slices) {
        for (std::uint32_t i = s.first; i < s.first + s.count; ++i) {
          const std::uint32_t run = owner_[s.population].empty() ? kNone : owner_[s.population][i];
          split = split || (any && run != first);
          first = run;
          any = true;
        }
      }
      if (!split) continue;
      const std::uint32_t p = g.slices.front().population;
      problems_.push_back({where_.count(p) ? where_.at(p) : SourceLocation{},
                           fmt::format("The recurrent component of '{}' ({} neurons, {} circuits) is split between runs; that needs lock-step, which is forbidden.",
                                       n_.populations[p].name, g.neurons, g.circuits)});
    }
  }

  const std::vector<Group>& groups_;
  Limits& limits_;
  const PartitionOptions& options_;
  const DividedNetwork& n_;
  std::vector<std::vector<std::uint32_t>> owner_;  // by population: the run of every neuron; empty: not named
  std::map<std::uint32_t, Slices> stated_;
  std::map<std::uint32_t, SourceLocation> where_;
  std::vector<Problem> problems_;
};

}  // namespace

// Runs of what is not stated must not lie on both sides of a stated one: groups are cut stage by stage, and a stage ends
// where something stated comes between.
Runs complete(const std::vector<Group>& groups, const std::vector<Order>& orders, Limits& limits, const PartitionOptions& options) {
  Statement statement(groups, limits, options);
  Runs runs = statement.checked();
  std::vector<std::uint32_t> stage(groups.size(), 0);
  std::vector<bool> stated(groups.size(), false);
  std::uint32_t stages = 0;
  std::vector<Group> rest = groups;
  std::vector<Order> rest_orders = orders;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::erase_if(rest[g].slices, [&](const PartitionSlice& s) { return statement.is_stated(s.population); });
    stated[g] = rest[g].slices.size() < groups[g].slices.size();
    for (const std::uint32_t b : groups[g].before) stage[g] = std::max(stage[g], stage[b] + (stated[b] ? 1u : 0u));
    stages = std::max(stages, stage[g]);
    if (!stated[g]) continue;
    const Limits::Usage usage = limits.quick_usage(rest[g].slices);
    rest[g].neurons = usage.neurons;
    rest[g].circuits = usage.circuits;
    rest_orders[g] = index_order(rest[g]);
  }
  Sequence sequence;
  for (std::uint32_t s = 0; s <= stages; ++s) {
    bool first = true;
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
      if (stage[g] != s || rest[g].slices.empty()) continue;
      sequence.push_back({g, rest[g].neurons, first});
      first = false;
    }
  }
  const Runs others = cut(rest, rest_orders, sequence, limits);
  runs.insert(runs.end(), others.begin(), others.end());
  const RunGraph graph(runs, limits);
  if (graph.has_cycle() && !options.lock_step) {
    throw InputError("The stated runs need each other's spikes, so that they have no order; that needs lock-step, which is forbidden. Put what reaches each other "
                     "into one run, and let no two runs send to each other.");
  }
  Runs in_order;
  for (const std::uint32_t r : graph.order()) in_order.push_back(runs[r]);
  return in_order;
}

}  // namespace tessera
