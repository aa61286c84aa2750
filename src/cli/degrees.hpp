// In-degrees and out-degrees of a projection: counted, summarised, written.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tessera/network.hpp"

namespace tessera::cli {

class Degrees {
 public:
  Degrees(std::uint32_t sources, std::uint32_t targets) : out_(sources, 0), in_(targets, 0) {}

  void add(std::span<const ConnectivityRule::Synapse> synapses);
  /// Smallest, mean, standard deviation and largest degree of sources and targets, and how many
  /// neurons have which.
  [[nodiscard]] std::string text() const;
  /// The histogram, degree by degree: columns degree, sources (with that out-degree), targets (with
  /// that in-degree); csv or npy by the name of the file. Throws RunError.
  void write(const std::filesystem::path& file) const;

 private:
  std::vector<std::uint32_t> out_, in_;
};

}  // namespace tessera::cli
