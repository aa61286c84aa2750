// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/rank_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/process_limits.hpp"
#include "tessera/communicator.hpp"
#include "train/parallel_choice.hpp"
#include "train/slices.hpp"

namespace tessera::training {
namespace {

constexpr double kFloat = sizeof(float);
constexpr double kGrown = 1.5;  // arrays of entries grow by half when they are full

void check(const RankPlanOptions& o) {
  std::vector<Problem> problems;
  const auto expect = [&](bool good, const std::string& sentence) {
    Problem problem;
    problem.message = sentence;
    if (!good) problems.push_back(std::move(problem));
  };
  expect(o.ranks >= 1, fmt::format("The number of ranks is {}; it must be at least 1.", o.ranks));
  expect(o.rank >= 0 && o.rank < std::max(o.ranks, 1), fmt::format("There is no rank {} of {}.", o.rank, o.ranks));
  expect(o.threads >= 1, fmt::format("The number of threads is {}; it must be at least 1.", o.threads));
  expect(o.activity > 0.0 && o.activity <= 1.0, fmt::format("The activity is {}; it must be above 0 and at most 1.", o.activity));
  expect(o.listed >= 0.0 && o.listed <= 1.0, fmt::format("The listed share is {}; it must be from 0 to 1.", o.listed));
  if (!problems.empty()) throw InputError(std::move(problems));
}

double state_floats(const Optimizer& o) { return o.kind == OptimizerKind::adamw ? 2.0 : o.momentum > 0.0 ? 1.0 : 0.0; }

// How many samples go through the layers at once, and which slices are computed here.
struct Work {
  std::uint32_t slices = 1;
  SliceRange own;
  double samples = 0.0;
};
Work work_of(const Options& options, const RankPlanOptions& wanted, bool divides) {
  Work work;
  work.slices = std::min(options.slices, options.batch);
  work.own = divides ? SliceRange{0, work.slices} : slices_of_rank(work.slices, wanted.rank, wanted.ranks);
  work.samples = std::ceil(static_cast<double>(options.batch) / work.slices);
  return work;
}

void plan_parameters(const Options& options, const RankPlanOptions& wanted, const std::vector<CountedLayer>& layers,
                     const Work& work, bool divides, SplitPlan& plan) {
  double synapses = 0.0, spans = 0.0;
  for (const CountedLayer& c : layers) {
    plan.neurons += c.own_neurons;
    plan.parameters += c.parameters() + c.summed * c.neurons;
    synapses += c.synapses();
    const double rows = (c.sparse_input ? c.sources : 0.0) + (c.sparse_recurrent ? c.neurons : 0.0);
    spans += rows * c.share.own_tiles();
  }
  const double p = plan.parameters;
  plan.memory.push_back({"weights", "value and gradient", 2.0 * kFloat * p});
  plan.memory.push_back({"optimiser", "state", kFloat * state_floats(options.optimizer) * p});
  double sums = waiting_sums(work.slices, work.own.begin, work.own.end) * kFloat * p;
  if (!divides && wanted.ranks > 1) {  // nodes of the others, of the own share of the parameters
    for (int r = 0; r < wanted.ranks; ++r)
      sums += r == wanted.rank ? 0.0 : static_cast<double>(nodes_of_rank(work.slices, r, wanted.ranks).size()) * kFloat * p / wanted.ranks;
  }
  if (sums > 0.0) plan.memory.push_back({"slices", "sums of gradients that wait", sums});
  // Target and delay, its place in the tensor, and there its number (shared layers) or its target.
  if (synapses > 0.0) plan.memory.push_back({"synapses", "where they lie, and rows of every tile", 12.0 * synapses + 8.0 * spans});
}

void plan_lists(const Network& network, const std::vector<CountedLayer>& layers, const Work& work, SplitPlan& plan) {
  const double runs = work.samples * network.steps;  // steps of samples that go through at once
  double lists = runs * layers.front().spikes_below * 6.0, visits = 0.0, states = 0.0;
  for (const CountedLayer& c : layers) {
    const double own = c.own_neurons / c.neurons;
    lists += runs * (c.share.tiles * 4.0 + 4.0 + c.spikes * 2.0 + c.listed * (4.0 + 8.0 * own));
    const double listed = c.listed_below * runs;
    visits = std::max(visits, listed * (8.0 + kFloat * c.share.own_parts()));
    if (c.readout) lists += 2.0 * runs * c.neurons * kFloat;
    if (c.recurrent) states += 4.0 * runs * c.listed + work.samples * c.own_neurons * kFloat * 4.0;
  }
  plan.memory.push_back({"lists", "entries of all layers, in a slice", kGrown * lists});
  plan.memory.push_back({"visits", "entries by source, of one layer", kGrown * visits});
  if (states > 0.0) plan.memory.push_back({"recurrent", "entries by source and states of neurons", states});
}

// Every entry visits the weights from its source: forwards spikes do, backwards all that is listed.
double visit_seconds(const Network& network, const Options& options, const std::vector<CountedLayer>& layers,
                     const TrainingCosts& costs) {
  double seconds = 0.0;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const CountedLayer& c = layers[k];
    const double entries = c.spikes_below + (k > 0 ? c.listed_below : c.spikes_below);
    seconds += entries * c.own_neurons * c.input_weights / c.sources * (c.sparse_input ? costs.synapse_seconds : costs.dense_seconds);
    if (!c.recurrent) continue;
    seconds += (2.0 * c.spikes + c.listed) * c.own_neurons * c.recurrent_weights / c.neurons *
               (c.sparse_recurrent ? costs.synapse_seconds : costs.dense_seconds);
  }
  return seconds * options.batch * network.steps;
}

SplitPlan plan_split(const Network& network, const Options& options, const RankPlanOptions& wanted, Parallel parallel) {
  const bool divides = parallel == Parallel::model;
  SplitPlan plan;
  plan.parallel = parallel;
  Options of_ranks = options;
  of_ranks.parallel = parallel;
  of_ranks.communicator = dry_run_communicator(wanted.rank, wanted.ranks);
  plan.obstacles = validate(network, of_ranks);
  if (!plan.obstacles.empty()) return plan;
  const std::vector<CountedLayer> layers = count_layers(network, options, wanted, divides);
  const Work work = work_of(options, wanted, divides);
  plan_parameters(options, wanted, layers, work, divides, plan);
  plan_lists(network, layers, work, plan);
  for (const PlannedRoom& room : plan.memory) plan.memory_bytes += room.bytes;
  const CountedTraffic traffic = divides ? count_layer_traffic(network, options, wanted, layers)
                                         : count_sample_traffic(options, wanted, layers);
  plan.messages = traffic.messages;
  plan.bytes = traffic.bytes;
  const double samples = divides ? 1.0 : static_cast<double>(work.own.end - work.own.begin) / work.slices;
  plan.compute_seconds = visit_seconds(network, options, layers, wanted.costs) * samples / wanted.threads;
  const double doublings = std::ceil(std::log2(static_cast<double>(wanted.ranks)));
  plan.exchange_seconds = traffic.rounds * doublings * wanted.costs.message_seconds + traffic.bytes * wanted.costs.byte_seconds;
  plan.batch_seconds = plan.compute_seconds + plan.exchange_seconds;
  return plan;
}

}  // namespace

RankPlan plan_over_ranks(const Network& network, const Options& options, const RankPlanOptions& wanted) {
  check(wanted);
  Options alone = options;
  alone.communicator = nullptr;
  alone.parallel = Parallel::data;
  if (std::vector<Problem> problems = validate(network, alone); !problems.empty()) throw InputError(std::move(problems));
  RankPlan plan;
  plan.ranks = wanted.ranks;
  plan.rank = wanted.rank;
  for (const CountedLayer& c : count_layers(network, options, {}, false)) {
    plan.neurons += c.neurons;
    plan.parameters += c.parameters() + c.summed * c.neurons;
  }
  plan.data = plan_split(network, options, wanted, Parallel::data);
  plan.model = plan_split(network, options, wanted, Parallel::model);
  const std::uint64_t bytes = wanted.rank_bytes > 0 ? wanted.rank_bytes : process_limits().memory_bytes;
  if (wanted.ranks > 1 && plan.model.obstacles.empty()) plan.chosen = choose_parallel(network, options, bytes);
  return plan;
}

}  // namespace tessera::training
