// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_samples.hpp"

#include <algorithm>
#include <cmath>

namespace tessera {

DeviceSamples::DeviceSamples(const TileContext& context) {
  const Network& network = context.wiring->network();
  for (const StateRecorder& wanted : network.recorders) {
    gpu::Recorder recorder;
    recorder.population = static_cast<std::uint32_t>(network.index_of(wanted.population));
    recorder.first_id = context.first_id[recorder.population];
    recorder.count = wanted.count;
    recorder.interval = static_cast<std::uint32_t>(std::max<std::int64_t>(1, std::llround(wanted.interval_ms / network.dt_ms)));
    const NeuronVariant& variant = context.kernels[recorder.population].variant;
    const auto state = std::find_if(variant.states.begin(), variant.states.end(), [&](const StateInfo& s) { return s.name == wanted.variable; });
    recorder.column = static_cast<std::uint32_t>(state - variant.states.begin());
    if (state == variant.states.end()) recorder.count = 0;  // the variable is that of another variant: as on the host, zeros
    recorders_.push_back(recorder);
    origins_.push_back(recorder.column == 0 ? variant.origin : 0.0);
  }
}

std::uint64_t DeviceSamples::bytes(std::int64_t steps) const {
  std::uint64_t bytes = 0;
  for (const gpu::Recorder& recorder : recorders_) {
    bytes += (static_cast<std::uint64_t>(steps) / recorder.interval + 1) * recorder.count * sizeof(float);
  }
  return bytes;
}

void DeviceSamples::allocate(gpu::Machine& machine, gpu::Network& network, std::int64_t steps) {
  std::uint64_t at = 0;
  for (gpu::Recorder& recorder : recorders_) {
    recorder.values_at = at;
    at += (static_cast<std::uint64_t>(steps) / recorder.interval + 1) * recorder.count;
  }
  network.recorders = static_cast<std::uint32_t>(recorders_.size());
  if (recorders_.empty()) return;
  network.recorder = machine.allocate_array<gpu::Recorder>(recorders_.size());
  network.samples = machine.allocate_array<float>(at);
}

void DeviceSamples::begin(gpu::Machine& machine, const gpu::Network& network, std::int64_t from, std::int64_t to) {
  if (recorders_.empty()) return;
  begun_ = {from, to};
  for (gpu::Recorder& recorder : recorders_) recorder.first_step = (from / recorder.interval + 1) * recorder.interval;
  machine.upload(const_cast<gpu::Recorder*>(network.recorder), recorders_.data(), recorders_.size() * sizeof(gpu::Recorder));
}

void DeviceSamples::fetch(gpu::Machine& machine, const gpu::Network& network) {
  fetched_ = begun_;
  values_.resize(recorders_.size());
  for (std::size_t r = 0; r < recorders_.size(); ++r) {
    const gpu::Recorder& recorder = recorders_[r];
    values_[r].resize(rows(recorder, fetched_) * recorder.count);
    if (values_[r].empty()) continue;
    machine.download(values_[r].data(), network.samples + recorder.values_at, sizeof(float), sizeof(float), values_[r].size());
  }
}

void DeviceSamples::take(std::vector<SampleBuffer>& buffers) const {
  for (std::size_t r = 0; r < recorders_.size(); ++r) {
    const gpu::Recorder& recorder = recorders_[r];
    SampleBuffer& buffer = buffers[r];
    const std::size_t n = rows(recorder, fetched_);
    if (n == 0) continue;
    const std::int64_t first = (fetched_.from / recorder.interval + 1) * recorder.interval;
    const auto row = static_cast<std::size_t>((first - buffer.first_step) / buffer.interval);
    buffer.rows = std::max(buffer.rows, row + n);
    buffer.values.resize(buffer.rows * buffer.columns);
    double* const to = buffer.values.data() + row * buffer.columns;
    for (std::size_t k = 0; k < values_[r].size(); ++k) to[k] = static_cast<double>(values_[r][k]) + origins_[r];
  }
}

}  // namespace tessera
