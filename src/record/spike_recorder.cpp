// Streams spikes to disk: sorts them into populations and hands them on in large pieces.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "results/sinks.hpp"
#include "tessera/result.hpp"

namespace tessera {
namespace {

// Spikes of one population that are not written yet; a multiple of the file's chunk (8192).
constexpr std::size_t kBufferedSpikes = 32768;

struct Buffer {
  std::uint32_t first = 0;  // global id of the population's first neuron
  std::uint32_t end = 0;
  std::uint32_t end_recorded = 0;  // of the first ones, whose spikes are kept
  std::size_t sink = 0;            // its place among the populations of the file
  std::vector<double> times_ms;
  std::vector<std::uint64_t> ids;
};

}  // namespace

struct SpikeRecorder::Impl {
  Impl(const std::filesystem::path& folder, const Network& network) : dt_ms(network.dt_ms) {
    const std::vector<std::uint32_t> recorded = recorded_neurons(network);
    std::vector<std::string> names;
    std::uint32_t first = 0;
    for (std::size_t p = 0; p < network.populations.size(); ++p) {
      const Population& population = network.populations[p];
      buffers.push_back({first, first + population.size, first + recorded[p], names.size(), {}, {}});
      if (recorded[p] > 0) names.push_back(population.name);
      first += population.size;
    }
    sink = io::make_spike_sink(folder, names);
  }

  void flush(std::size_t population) {
    Buffer& buffer = buffers[population];
    if (buffer.ids.empty()) return;
    sink->append(buffer.sink, buffer.times_ms, buffer.ids);
    buffer.times_ms.clear();
    buffer.ids.clear();
  }

  double dt_ms;
  std::vector<Buffer> buffers;
  std::unique_ptr<io::SpikeSink> sink;
  std::vector<std::string> files;
  std::uint64_t written = 0;
};

SpikeRecorder::SpikeRecorder(const std::filesystem::path& folder, const Network& network)
    : impl_(std::make_unique<Impl>(folder, network)) {}

SpikeRecorder::~SpikeRecorder() = default;

void SpikeRecorder::on_spikes(std::span<const Spike> spikes) {
  std::vector<Buffer>& buffers = impl_->buffers;
  std::size_t population = 0;
  for (const Spike& spike : spikes) {
    // Spikes come sorted by step, then neuron: the population changes seldom.
    if (spike.neuron < buffers[population].first) population = 0;
    while (spike.neuron >= buffers[population].end) ++population;
    Buffer& buffer = buffers[population];
    if (spike.neuron >= buffer.end_recorded) continue;
    ++impl_->written;
    buffer.times_ms.push_back(spike.step * impl_->dt_ms);
    buffer.ids.push_back(spike.neuron - buffer.first);
    if (buffer.ids.size() == kBufferedSpikes) impl_->flush(population);
  }
}

std::vector<std::string> SpikeRecorder::finish() {
  if (impl_->sink == nullptr) return impl_->files;
  for (std::size_t population = 0; population < impl_->buffers.size(); ++population) {
    impl_->flush(population);
  }
  impl_->files = impl_->sink->finish();
  impl_->sink.reset();
  return impl_->files;
}

std::uint64_t SpikeRecorder::spikes_written() const noexcept { return impl_->written; }

}  // namespace tessera
