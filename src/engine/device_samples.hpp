// State recorders on a device: what a launch writes down, and where the host finds it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "engine/step_loop.hpp"
#include "kernels/cuda/machine.hpp"

namespace tessera {

class DeviceSamples {
 public:
  explicit DeviceSamples(const TileContext& context);

  [[nodiscard]] bool empty() const { return recorders_.empty(); }
  /// What samples of a launch of so many steps take.
  [[nodiscard]] std::uint64_t bytes(std::int64_t steps) const;
  /// Allocates for launches of up to `steps`.
  void allocate(gpu::Machine& machine, gpu::Network& network, std::int64_t steps);
  /// Before the launch of the steps from .. to - 1.
  void begin(gpu::Machine& machine, const gpu::Network& network, std::int64_t from, std::int64_t to);
  /// After it, before the next one.
  void fetch(gpu::Machine& machine, const gpu::Network& network);
  /// Appends what was fetched to the rows of the recorders.
  void take(std::vector<SampleBuffer>& buffers) const;

 private:
  struct Launch {
    std::int64_t from = 0, to = 0;
  };
  [[nodiscard]] static std::size_t rows(const gpu::Recorder& recorder, const Launch& launch) {
    return static_cast<std::size_t>(launch.to / recorder.interval - launch.from / recorder.interval);
  }

  std::vector<gpu::Recorder> recorders_;
  std::vector<double> origins_;  ///< values are kept relative to them
  Launch begun_, fetched_;
  std::vector<std::vector<float>> values_;  ///< of the launch that was fetched
};

}  // namespace tessera
