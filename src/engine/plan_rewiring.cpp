// What rules want to see, against what there is.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/time_grid.hpp"
#include "engine/global_rewiring.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

using Sight = RewiringPlan::Sight;
using Group = RewiringPlan::Group;

class Planner {
 public:
  Planner(const Network& network, std::span<const PopulationKernel> kernels) : network_(network), kernels_(kernels) {}

  void add(std::uint32_t p, const std::shared_ptr<const StructuralRule>& rule) {
    const Projection& projection = network_.projections[p];
    const std::int64_t interval = std::max<std::int64_t>(1, nearest_step(projection.rewiring->interval_ms, network_.dt_ms));
    const auto source = static_cast<std::uint32_t>(network_.index_of(projection.source));
    const auto target = static_cast<std::uint32_t>(network_.index_of(projection.target));
    if (const auto* global = dynamic_cast<const GlobalStructuralRule*>(rule.get())) {
      add_to_group(p, rule, *global, interval, source, target);
      return;
    }
    const NeuronSight of_sources = rule->sees_of_sources(), of_targets = rule->sees_of_targets();
    const auto blind = [](const NeuronSight& s) { return s.states.empty() && s.memory == nullptr; };
    if (blind(of_sources) && blind(of_targets) && projection.rewiring->max_outdegree == 0) return;
    plan_.locals.push_back({p, interval, projection.rewiring->max_outdegree, sight(projection, source, of_sources), sight(projection, target, of_targets)});
  }
  [[nodiscard]] RewiringPlan take() { return std::move(plan_); }

 private:
  [[nodiscard]] Sight sight(const Projection& projection, std::uint32_t population, const NeuronSight& wanted) {
    const Population& of = network_.populations[population];
    const std::string who = "The rule " + projection.rewiring->rule + " of projection '" + projection.name + "'";
    std::vector<std::string> states;
    for (const StateInfo& state : kernels_[population].variant.states) states.push_back(state.name);
    for (const std::string& name : wanted.states) {
      if (std::find(states.begin(), states.end(), name) != states.end()) continue;
      throw InputError(who + " looks at '" + name + "' of population '" + of.name + "', which has no such state variable." + did_you_mean(name, states));
    }
    Sight seen{population, wanted.states, Sight::kNone};
    if (wanted.memory == nullptr) return seen;
    if (of.kind != Population::Kind::neurons) {
      throw InputError(who + " keeps numbers of the neurons of '" + of.name + "', which is a source: they need a neuron model.");
    }
    seen.memory = plan_.memories.size();
    plan_.memories.push_back({population, wanted.memory, wanted.memory->names()});
    return seen;
  }
  [[nodiscard]] std::uint32_t place(std::vector<Sight>& side, const Projection& projection, std::uint32_t population, const NeuronSight& wanted) {
    for (std::uint32_t i = 0; i < side.size(); ++i) {
      if (side[i].population != population) continue;
      require_same(projection, population, side[i], wanted);
      return i;
    }
    side.push_back(sight(projection, population, wanted));
    require_one_owner(projection, side.back());
    return static_cast<std::uint32_t>(side.size() - 1);
  }
  /// A population has one memory in a group, whichever projection asks.
  void require_same(const Projection& projection, std::uint32_t population, const Sight& have, const NeuronSight& wanted) const {
    const NeuronMemory* const memory = have.memory == Sight::kNone ? nullptr : plan_.memories[have.memory].rule.get();
    if (have.states == wanted.states && (memory == nullptr) == (wanted.memory == nullptr) &&
        (memory == nullptr || (memory->names() == wanted.memory->names() && memory->constants() == wanted.memory->constants()))) {
      return;
    }
    throw InputError("The rule " + projection.rewiring->rule + " of projection '" + projection.name + "' has other parameters for '" +
                     network_.populations[population].name + "' than a projection that is rewired together with it.");
  }
  void require_one_owner(const Projection& projection, const Sight& mine) {
    if (mine.memory == Sight::kNone) return;
    const std::string& name = plan_.memories[mine.memory].names.front();
    for (const auto& [memory, owner] : of_groups_) {
      if (plan_.memories[memory].population != mine.population || plan_.memories[memory].names.front() != name) continue;
      throw InputError("'" + name + "' of population '" + network_.populations[mine.population].name + "' takes part in the rewiring of '" + owner +
                       "' and of '" + projection.name + "' in different ways: give it another name in one of them.");
    }
    of_groups_.emplace_back(mine.memory, projection.name);
  }
  void add_to_group(std::uint32_t p, const std::shared_ptr<const StructuralRule>& rule, const GlobalStructuralRule& global,
                    std::int64_t interval, std::uint32_t source, std::uint32_t target) {
    const Projection& projection = network_.projections[p];
    const std::string name = projection.rewiring->rule + "\n" + (global.group().empty() ? "\n" + projection.name : global.group());
    auto group = std::find_if(plan_.groups.begin(), plan_.groups.end(), [&name](const Group& g) { return g.name == name; });
    if (group == plan_.groups.end()) {
      plan_.groups.push_back({rule, name, interval, {}, {}, {}});
      group = plan_.groups.end() - 1;
    }
    if (group->interval != interval) {
      throw InputError("Projection '" + projection.name + "' is rewired together with '" + network_.projections[group->members[0].projection].name +
                       "', so both need the same interval.");
    }
    const std::uint32_t from = place(group->sources, projection, source, rule->sees_of_sources());
    const std::uint32_t to = place(group->targets, projection, target, rule->sees_of_targets());
    for (const Group::Member& other : group->members) {
      if (other.source == from && other.target == to) {
        throw InputError("Projections '" + projection.name + "' and '" + network_.projections[other.projection].name +
                         "' join the same populations and are rewired together: make one of them, or give them different groups.");
      }
    }
    group->members.push_back({p, from, to, global.new_weight(), projection.rewiring->max_outdegree});
  }

  const Network& network_;
  std::span<const PopulationKernel> kernels_;
  RewiringPlan plan_;
  std::vector<std::pair<std::size_t, std::string>> of_groups_;  ///< memories of groups, and the projections that brought them
};

}  // namespace

RewiringPlan plan_rewiring(const Network& network, std::span<const std::shared_ptr<const StructuralRule>> rules,
                           std::span<const PopulationKernel> kernels) {
  Planner planner(network, kernels);
  for (std::uint32_t p = 0; p < rules.size(); ++p) {
    if (rules[p] != nullptr) planner.add(p, rules[p]);
  }
  return planner.take();
}

}  // namespace tessera
