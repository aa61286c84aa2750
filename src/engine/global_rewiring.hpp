// What structural rules need beyond one chunk: values of neurons, limits per source, rules that look at everything.
//
// It happens between two steps, on the thread that called run(), while nothing moves: a run is cut where a rule wants it. So
// the step loop knows nothing of it. What ranks tell each other are sums of numbers that only the owner of a neuron or a
// synapse has, and lists that are sorted afterwards: nothing depends on who owns what.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "comm/agreement.hpp"
#include "engine/tile.hpp"
#include "machine/placement.hpp"

namespace tessera {

/// Who looks at what, from the description alone.
struct RewiringPlan {
  /// What is seen of one population: state variables, then the numbers of a memory.
  struct Sight {
    std::uint32_t population = 0;
    std::vector<std::string> states;
    std::size_t memory = kNone;  ///< in `memories`
    static constexpr std::size_t kNone = ~std::size_t{0};
  };
  /// A projection whose rule acts chunk by chunk, and sees neurons or has a limit per source.
  struct Local {
    std::uint32_t projection = 0;
    std::int64_t interval = 1;
    std::uint32_t max_outdegree = 0;
    Sight sources, targets;
  };
  /// Projections that a global rule treats as one.
  struct Group {
    std::shared_ptr<const StructuralRule> rule;  ///< of the first one
    std::string name;                            ///< of the rule, and its group
    std::int64_t interval = 1;
    struct Member {
      std::uint32_t projection, source, target;  ///< places in `sources` and `targets`
      double weight;
      std::uint32_t max_outdegree;
    };
    std::vector<Member> members;
    std::vector<Sight> sources, targets;  ///< distinct populations
  };
  std::vector<MemoryKind> memories;
  std::vector<Local> locals;
  std::vector<Group> groups;
};

/// Throws InputError where a rule asks for what populations do not have.
[[nodiscard]] RewiringPlan plan_rewiring(const Network& network, std::span<const std::shared_ptr<const StructuralRule>> rules,
                                         std::span<const PopulationKernel> kernels);

class GlobalRewiring {
 public:
  struct Input {
    const Network* network;
    const Wiring* wiring;
    const Placement* placement;
    const Agreement* ranks;
    const TileContext* context;
    std::vector<std::unique_ptr<Tile>>* tiles;
  };
  GlobalRewiring(RewiringPlan plan, const Input& input);
  ~GlobalRewiring();

  /// The first step after `step` that begins with a rule; the largest number there is when none does.
  [[nodiscard]] std::int64_t next_after(std::int64_t step) const;
  /// To be called after `step` steps, before the next one; does what is due.
  void act(std::int64_t step);
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  class View;
  using Columns = std::vector<std::vector<double>>;

  [[nodiscard]] Columns look(const RewiringPlan::Sight& sight, std::int64_t step, bool everywhere) const;
  void keep(const RewiringPlan::Sight& sight, std::int64_t step, const Columns& columns) const;
  void prepare(const RewiringPlan::Local& local, SeenNeurons& seen, std::int64_t step);
  void share_out(const RewiringPlan::Local& local, std::int64_t step);
  [[nodiscard]] std::vector<std::uint64_t> outdegrees(std::uint32_t projection) const;
  [[nodiscard]] std::size_t size_of(const RewiringPlan::Sight& sight) const;

  RewiringPlan plan_;
  Input in_;
  std::vector<std::size_t> tile_of_chunk_;  ///< own ones; others: the number of tiles
  std::vector<SeenNeurons> seen_;           ///< per local
  double seconds_ = 0.0;
};

}  // namespace tessera
