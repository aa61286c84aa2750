// Writing spikes in the HDF5 layout of SHD, which many programs read.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace tessera::training {

/// One recording: times in seconds, ascending, and units.
struct Recording {
  std::vector<float> times;
  std::vector<std::uint16_t> units;
};

/// `spikes/times` (variable-length float), `spikes/units` (variable-length unsigned), `labels`.
/// `half_precision`: times of 16 bits, as published. get(i) gives recording i. Throws RunError;
/// shd_absent.cpp: InputError, a sentence.
void write_shd(const std::filesystem::path& file, const std::vector<std::int32_t>& labels,
               bool half_precision, const std::function<void(std::size_t, Recording&)>& get);

}  // namespace tessera::training
