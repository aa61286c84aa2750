// Encoded spikes as files that other programs open.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tessera/data.hpp"

namespace tessera::cli {

/// npy: <name>_spikes.npy with columns sample, step, channel, and <name>_labels.npy; csv: the same
/// as text; h5: <name>.h5 in the layout of SHD, times in seconds.
enum class DataFormat { npy, csv, h5 };

/// Returns the names of the files. Throws RunError.
std::vector<std::string> write_spikes(const training::SpikeDataset& data, double dt_ms,
                                      const std::filesystem::path& folder, const std::string& name,
                                      DataFormat format);

/// The [data] of a training file whose samples lie in these files. `folder`: inside of the data folder; empty: itself.
[[nodiscard]] std::string data_section(const training::FileSpec& files, const training::EncoderSpec& encoder,
                                       const std::string& folder);

/// data.toml: the [data] of a training file that reads what write_spikes() wrote. Returns its name.
std::string write_data_section(const training::FileSpec& files,
                               const training::EncoderSpec& encoder,
                               const std::filesystem::path& folder);

/// <name>_sample_<index>.svg: the spikes of a sample as dots.
std::string write_raster(const training::SpikeDataset& data, const training::DataSpec& spec,
                         std::uint64_t index, const std::filesystem::path& folder,
                         const std::string& name);

}  // namespace tessera::cli
