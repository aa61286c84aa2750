// Training kernels on one tile: 1472 sources, 128 neurons, batches of 48 samples and 100 steps.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <limits>
#include <vector>

#include "base/aligned_array.hpp"
#include "base/random.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/membrane.hpp"
#include "kernels/tile_run.hpp"
#include "kernels/update.hpp"
#include "kernels/weight_rows.hpp"

namespace {

using namespace tessera;

constexpr std::uint32_t kSources = 1472, kWidth = 128;

AlignedArray<float> numbers(std::size_t n, float low, float high) {
  AlignedArray<float> values(n);
  RandomStream random(RandomKey(5), Purpose::pair, static_cast<std::uint32_t>(n), 0);
  for (float& x : values) x = low + (high - low) * static_cast<float>(random.next_unit());
  return values;
}

// Argument: how many of a thousand sources spike. Items: synapses.
void add_rows(benchmark::State& state) {
  const AlignedArray<float> weights = numbers(std::size_t{kSources} * kWidth, -1, 1);
  AlignedArray<float> current(kWidth);
  RandomStream random(RandomKey(6), Purpose::pair, 0, 0);
  constexpr std::size_t kLists = 64;
  std::vector<std::vector<std::uint16_t>> lists(kLists);
  std::size_t ids = 0;
  for (auto& list : lists) {
    for (std::uint32_t k = 0; k < kSources; ++k) {
      if (random.next_below(1000) < static_cast<std::uint32_t>(state.range(0))) list.push_back(static_cast<std::uint16_t>(k));
    }
    ids += list.size();
  }
  for (auto _ : state) {
    for (const auto& list : lists) tessera::add_rows(weights.data(), kWidth, list.data(), list.size(), current.data());
    benchmark::ClobberMemory();
  }
  const auto synapses = static_cast<std::int64_t>(ids * kWidth) * state.iterations();
  state.SetItemsProcessed(synapses);
  state.SetBytesProcessed(synapses * 4);
}
BENCHMARK(add_rows)->Arg(10)->Arg(20)->Arg(50);

// The visits of all rows in a block of 24 steps of 48 samples; as many gradient-only visits as spikes.
// Arguments: spikes of a thousand, whether gradients flow back to the sources. Items: synapses.
void row_gradients(benchmark::State& state) {
  constexpr std::uint32_t kLists = 24 * 48;
  const AlignedArray<float> weights = numbers(std::size_t{kSources} * kWidth, -1, 1);
  const AlignedArray<float> g = numbers(std::size_t{kLists} * kWidth, -1, 1);
  AlignedArray<float> gradient(std::size_t{kSources} * kWidth);
  RandomStream random(RandomKey(7), Purpose::pair, 0, 0);
  const bool sources = state.range(1) != 0;
  const auto spikes = static_cast<std::uint32_t>(kLists * state.range(0) / 1000);
  std::vector<std::uint32_t> visit, first, counts(kSources, spikes);
  for (std::uint32_t k = 0; k <= kSources; ++k) first.push_back(2 * k * spikes);
  while (visit.size() < first.back()) visit.push_back(random.next_below(kLists));
  const std::size_t visits = sources ? visit.size() : visit.size() / 2;
  std::vector<float> ds(visit.size(), 0.0f);
  for (auto _ : state) {
    tessera::row_gradients(weights.data(), g.data(), kWidth, {visit.data(), first.data(), counts.data(), kSources}, {},
                           gradient.data(), sources ? ds.data() : nullptr);
    benchmark::ClobberMemory();
  }
  const auto synapses = static_cast<std::int64_t>(visits * kWidth) * state.iterations();
  state.SetItemsProcessed(synapses);
  state.SetBytesProcessed(synapses * 4);
}
BENCHMARK(row_gradients)->ArgsProduct({{10, 20, 50}, {0, 1}});

// With the list. Argument: how many of a thousand neurons spike in a step; as many are listed for their gradients. A step's
// input puts every neuron where it is wanted, whatever its state was. Items: neurons.
void membrane_step(benchmark::State& state) {
  constexpr std::uint32_t kSteps = 64;
  AlignedArray<float> alpha(kWidth), u(kWidth), current(std::size_t{kWidth} * kSteps);
  RandomStream random(RandomKey(8), Purpose::pair, 0, 0);
  const auto share = static_cast<std::uint32_t>(state.range(0));
  for (float& i : current) {
    const std::uint32_t place = random.next_below(1000);
    i = place < share ? 1.5f : place < 2 * share ? 0.95f : 0.3f;
  }
  Membrane membrane;  // alpha = 0: u is the input
  membrane.alpha = alpha.data();
  membrane.second_threshold = 0.9f;
  MembraneState neurons;
  neurons.u = u.data();
  std::vector<std::uint32_t> places(kWidth + 16);
  std::vector<std::uint16_t> list[4] = {};
  for (auto& part : list) part.resize(kWidth + 16);
  std::vector<float> x(kWidth + 16), slopes[2] = {x, x};
  std::uint64_t spikes = 0;
  for (auto _ : state) {
    for (std::uint32_t t = 0; t < kSteps; ++t) {
      tessera::Candidates candidates{places.data(), x.data()};
      tessera::membrane_step(membrane, neurons, current.data() + std::size_t{t} * kWidth, kWidth, 0, true, candidates);
      tessera::list_candidates(membrane, candidates, {list[0].data(), list[1].data(), slopes[0].data()},
                               {list[2].data(), list[3].data(), slopes[1].data()});
      spikes += candidates.spikes;
    }
    benchmark::ClobberMemory();
  }
  const auto steps = static_cast<std::int64_t>(kWidth * kSteps) * state.iterations();
  state.SetItemsProcessed(steps);
  state.SetBytesProcessed(steps * 16);  // alpha, current, u read and written
  state.counters["spiking"] = static_cast<double>(spikes) / static_cast<double>(steps);
}
BENCHMARK(membrane_step)->Arg(10)->Arg(20)->Arg(50);

// A tile through all steps of a sample: rows, step and list. Argument: spikes of a thousand sources. Items: neurons.
void run_tile(benchmark::State& state) {
  constexpr std::uint32_t kSteps = 32;
  const AlignedArray<float> weights = numbers(std::size_t{kSources} * kWidth, -0.02f, 0.03f);
  AlignedArray<float> alpha(kWidth), u(kWidth), current(kWidth);
  for (float& a : alpha) a = 0.95f;
  RandomStream random(RandomKey(9), Purpose::pair, 0, 0);
  const auto spikes = static_cast<std::uint32_t>(kSources * state.range(0) / 1000);
  std::vector<std::uint32_t> first = {0};
  std::vector<std::uint16_t> ids;
  for (std::uint32_t t = 0; t < kSteps; ++t) {
    for (std::uint32_t k = 0; k < spikes; ++k) ids.push_back(static_cast<std::uint16_t>(random.next_below(kSources)));
    first.push_back(static_cast<std::uint32_t>(ids.size()));
  }
  tessera::Membrane membrane;
  membrane.alpha = alpha.data();
  membrane.second_threshold = 0.9f;
  constexpr std::size_t kRoom = kSteps * kWidth + 16;
  std::vector<std::uint32_t> places(kRoom);
  std::vector<float> x(kRoom), slopes[2] = {std::vector<float>(kRoom), std::vector<float>(kRoom)};
  std::vector<std::uint16_t> list[4] = {};
  for (auto& part : list) part.resize(kRoom);
  std::vector<tessera::StepCounts> counts(kSteps);
  tessera::TileRun run;
  run.membrane = &membrane;
  run.state.u = u.data();
  run.neurons = run.width = kWidth;
  run.steps = kSteps;
  run.gradients = true;
  run.weights = weights.data();
  run.first = first.data();
  run.ids = ids.data();
  run.current = current.data();
  tessera::Candidates candidates{places.data(), x.data()};
  for (auto _ : state) {
    candidates.clear();
    tessera::run_tile(run, candidates, counts.data());
    tessera::list_candidates(membrane, candidates, {list[0].data(), list[1].data(), slopes[0].data()},
                             {list[2].data(), list[3].data(), slopes[1].data()});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kWidth) * kSteps * state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(ids.size() * kWidth * sizeof(float)) * state.iterations());
}
BENCHMARK(run_tile)->Arg(10)->Arg(20)->Arg(50);

// g of a tile through a block of steps of a sample. Items: neurons.
void membrane_flow(benchmark::State& state) {
  constexpr std::uint32_t kSteps = 37;
  AlignedArray<float> alpha(kWidth), rows(std::size_t{kSteps + 1} * kWidth);
  for (float& a : alpha) a = 0.95f;
  const std::vector<std::uint8_t> resets(kSteps * kWidth / 8 + 8, 1);
  for (auto _ : state) {
    tessera::membrane_flow(alpha.data(), kWidth, kSteps, resets.data(), rows.data(), nullptr);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kWidth) * kSteps * state.iterations());
}
BENCHMARK(membrane_flow);

// The loss of 1,000 steps and its derivative. Argument: classes. Items: logits.
void cross_entropy(benchmark::State& state) {
  const auto classes = static_cast<std::uint32_t>(state.range(0));
  constexpr std::size_t kRows = 1000;
  const std::size_t stride = (classes + 15) / 16 * 16;
  AlignedArray<float> x = numbers(kRows * stride, -3, 3), d(kRows * stride);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % stride >= classes) x[i] = -std::numeric_limits<float>::infinity();
  }
  std::vector<std::uint32_t> votes(classes, 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        tessera::cross_entropy_rows({x.data(), kRows, stride, classes}, 1, 0.01f, d.data(), votes.data()));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kRows * classes) * state.iterations());
}
BENCHMARK(cross_entropy)->Arg(10)->Arg(20)->Arg(35);

// Argument: parameters, in the second-level cache or in memory. Items: parameters.
void adamw(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  AlignedArray<float> w = numbers(n, -1, 1), m = numbers(n, -1, 1), v = numbers(n, 0, 1);
  const AlignedArray<float> g = numbers(n, -1, 1);
  for (auto _ : state) {
    tessera::adamw(AdamwStep{}, n, w.data(), g.data(), m.data(), v.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * 28);  // four read, three written
}
BENCHMARK(adamw)->Arg(1 << 15)->Arg(1 << 23);

void sgd(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  AlignedArray<float> w = numbers(n, -1, 1), velocity = numbers(n, -1, 1);
  const AlignedArray<float> g = numbers(n, -1, 1);
  SgdStep step;
  step.rate = 1e-6f;
  step.momentum = 0.9f;
  for (auto _ : state) {
    tessera::sgd(step, n, w.data(), g.data(), velocity.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * 20);  // three read, two written
}
BENCHMARK(sgd)->Arg(1 << 15)->Arg(1 << 23);

}  // namespace
