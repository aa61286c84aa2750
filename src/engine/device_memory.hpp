// What a device's memory holds, by rooms: planned from a description, and asked for before anything is allocated.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "engine/device_map.hpp"
#include "engine/device_samples.hpp"
#include "kernels/cuda/machine.hpp"
#include "tessera/device_plan.hpp"

namespace tessera {

/// Steps of a launch at most, and the spikes that a block can have in them.
struct LaunchSize {
  std::int64_t steps = 0;
  std::uint64_t spikes_per_block = 0;
};
/// So many steps that what a launch costs is nothing beside them, unless what it writes down takes too much.
[[nodiscard]] LaunchSize choose_launch(const DeviceMap& map, const DeviceSamples& samples);

/// `rows`: bytes of stored rows or, drawn, of counts; `written`: of rows beside drawn ones.
[[nodiscard]] std::vector<PlannedMemory> device_memory(const DeviceMap& map, const DeviceSamples& samples, bool drawn, std::uint64_t rows,
                                                       std::uint64_t written);
/// Projections whose rows a device cannot draw: they are stored beside those that it can. Empty: it draws all.
[[nodiscard]] std::vector<bool> not_drawn(const Wiring& wiring, const WeightUnits& units);
[[nodiscard]] std::uint64_t sum_of(const std::vector<PlannedMemory>& memory);

/// Throws InputError with rooms and bytes where they are more than is free (0: unknown).
void require_device_memory(const std::vector<PlannedMemory>& memory, std::uint64_t free_bytes);

/// The memory of a wired network on a device of so many multiprocessors, expected.
[[nodiscard]] DevicePlan plan_memory(const Wiring& wiring, const WeightUnits& units, const NeuronCatalogue& models, bool drawn,
                                     const gpu::MachineInfo& machine);

}  // namespace tessera
