// What a slice brought, collected on rank 0 and handed to its observer as if one process had run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/simulation_impl.hpp"
#include "engine/spike_code.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

bool earlier(const Spike& a, const Spike& b) { return a.step != b.step ? a.step < b.step : a.neuron < b.neuron; }

/// Merges sorted runs that follow each other; begin has one entry more than there are runs.
void merge_runs(std::vector<Spike>& spikes, std::vector<std::size_t> begin) {
  const auto at = [&spikes](std::size_t i) { return spikes.begin() + static_cast<std::ptrdiff_t>(i); };
  while (begin.size() > 2) {
    std::vector<std::size_t> wider{begin.front()};
    for (std::size_t i = 2; i < begin.size(); i += 2) {
      std::inplace_merge(at(begin[i - 2]), at(begin[i - 1]), at(begin[i]), earlier);
      wider.push_back(begin[i]);
    }
    if (wider.back() != begin.back()) wider.push_back(begin.back());
    begin = std::move(wider);
  }
}

}  // namespace

void Simulation::Impl::make_sample_buffers() {
  for (const StateRecorder& recorder : network.recorders) {
    SampleBuffer buffer;
    buffer.population = static_cast<std::uint32_t>(network.index_of(recorder.population));
    buffer.variable = recorder.variable;
    buffer.count = recorder.count;
    buffer.interval = std::max<std::int64_t>(1, std::llround(recorder.interval_ms / network.dt_ms));
    for (std::size_t t = 0; t < tiles.size(); ++t) {
      for (const std::uint32_t c : tiles[t]->chunks()) {
        const Chunk& chunk = wiring->chunks()[c];
        if (chunk.population != buffer.population || chunk.begin >= buffer.count) continue;
        buffer.parts.push_back({t, c, chunk.begin, std::min(chunk.size, buffer.count - chunk.begin), 0});
      }
    }
    std::sort(buffer.parts.begin(), buffer.parts.end(), [](const auto& a, const auto& b) { return a.chunk < b.chunk; });
    for (SampleBuffer::Part& part : buffer.parts) {
      part.column = buffer.columns;
      buffer.columns += part.count;
    }
    loop->samples().push_back(std::move(buffer));
  }
  samples.resize(network.recorders.size());
}

/// Rows of every recorder for the steps (from, to].
void Simulation::Impl::prepare_samples(std::int64_t from, std::int64_t to) {
  for (SampleBuffer& buffer : loop->samples()) {
    buffer.first_step = (from / buffer.interval + 1) * buffer.interval;
    buffer.rows = to >= buffer.first_step ? static_cast<std::size_t>((to - buffer.first_step) / buffer.interval + 1) : 0;
    buffer.values.assign(buffer.rows * buffer.columns, 0.0);
  }
}

/// On rank 0: the spikes of all ranks since `from`, sorted by step, then neuron.
std::vector<Spike> Simulation::Impl::collect_spikes(std::int64_t from) {
  if (!keep_spikes) return {};
  std::vector<Spike> own = loop->take_spikes();
  if (ranks.alone()) return own;
  const auto first = static_cast<std::uint32_t>(from);  // a spike at time 0 is one of step 0
  const std::uint64_t all_neurons = neurons->total();
  SpikeWriter writer(all_neurons);
  for (const Spike& spike : own) writer.put(spike.step - first, spike.neuron);
  Gathered all;
  ranks.gather(writer.bytes(), all);
  if (!ranks.first()) return {};
  std::vector<Spike> spikes;
  std::vector<std::size_t> begin{0};
  for (int r = 0; r < ranks.size(); ++r) {
    const auto steps = static_cast<std::uint64_t>(now - from) + 1;
    const bool whole = read_spikes(all.of(r), steps, all_neurons, [&](std::uint64_t step, std::uint64_t neuron) {
      spikes.push_back({first + static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(neuron)});
    });
    if (!whole) throw CommunicationError("The spikes of rank " + std::to_string(r) + " arrived damaged.", "collecting spikes", r);
    begin.push_back(spikes.size());
  }
  merge_runs(spikes, std::move(begin));
  return spikes;
}

/// On rank 0: the samples of all ranks, in rows of the whole recorders.
void Simulation::Impl::collect_samples() {
  if (loop->samples().empty()) return;
  if (ranks.alone()) {
    for (std::size_t r = 0; r < samples.size(); ++r) samples[r].swap(loop->samples()[r].values);
    return;
  }
  std::vector<double> own;
  for (const SampleBuffer& buffer : loop->samples()) own.insert(own.end(), buffer.values.begin(), buffer.values.end());
  Gathered all;
  ranks.gather(std::as_bytes(std::span(own)), all);
  if (!ranks.first()) return;
  std::vector<std::size_t> at(all.begin.begin(), all.begin.end() - 1);  // in each rank's bytes
  for (std::size_t r = 0; r < samples.size(); ++r) {
    const SampleBuffer& buffer = loop->samples()[r];
    std::vector<std::uint32_t> recorded;  // chunks
    for (std::uint32_t c = 0; c < wiring->chunks().size(); ++c) {
      const Chunk& chunk = wiring->chunks()[c];
      if (chunk.population == buffer.population && chunk.begin < buffer.count) recorded.push_back(c);
    }
    samples[r].assign(buffer.rows * buffer.count, 0.0);
    for (std::size_t row = 0; row < buffer.rows; ++row) {
      for (const std::uint32_t c : recorded) {
        const Chunk& chunk = wiring->chunks()[c];
        const std::uint32_t rank = placement.rank_of_chunk[c];
        const std::size_t bytes = std::min(chunk.size, buffer.count - chunk.begin) * sizeof(double);
        if (at[rank] + bytes > all.begin[rank + 1]) continue;  // a dry run's absent rank
        std::memcpy(samples[r].data() + row * buffer.count + chunk.begin, all.bytes.data() + at[rank], bytes);
        at[rank] += bytes;
      }
    }
  }
}

void Simulation::Impl::hand_out(std::span<const Spike> spikes, RunObserver& observer) const {
  if (!spikes.empty()) observer.on_spikes(spikes);
  for (std::size_t r = 0; r < samples.size(); ++r) {
    const SampleBuffer& buffer = loop->samples()[r];
    for (std::size_t row = 0; row < buffer.rows; ++row) {
      const std::int64_t at = buffer.first_step + static_cast<std::int64_t>(row) * buffer.interval;
      if (at > now) break;  // the run ended inside the slice
      observer.on_sample({static_cast<std::uint32_t>(at), r, std::span(samples[r]).subspan(row * buffer.count, buffer.count)});
    }
  }
}

}  // namespace tessera
