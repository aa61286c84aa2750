// The parts of validate(): the list of problems that its functions add to, and checks of one
// number.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::training::validation {

inline bool above_zero(double value) { return std::isfinite(value) && value > 0.0; }
inline bool from_zero(double value) { return std::isfinite(value) && value >= 0.0; }
inline bool fraction(double value) { return value >= 0.0 && value <= 1.0; }

/// Problems of one thing (a layer, the network, the options): where it is and how sentences name
/// it.
class Reporter {
 public:
  Reporter(std::vector<Problem>& problems, SourceLocation where, std::string what)
      : problems_(&problems), where_(std::move(where)), what_(std::move(what)) {}

  /// A problem at `key` inside the thing.
  void add(const std::string& key, std::string message) const;
  /// Adds "<key> of <what> is <value>; it must be <range>." unless `good`.
  bool check(bool good, const std::string& key, double value, const std::string& range) const;
  [[nodiscard]] const std::string& what() const noexcept { return what_; }

 private:
  std::vector<Problem>* problems_;
  SourceLocation where_;
  std::string what_;
};

/// Nothing without e-prop.
void check_eprop(const Reporter& report, const Network& network, const Options& options);
void check_options(std::vector<Problem>& problems, const Network& network, const Options& options);
/// `source` is the shape of the layer below. Returns the layer's shape, with a zero in it when
/// there is none (its problem is then reported, and later layers cannot be checked against it).
Shape check_connection(const Reporter& report, const Layer& layer, const Shape& source);
void check_recurrent(const Reporter& report, const Layer& layer, const Shape& shape);
/// "32 x 32 x 2".
[[nodiscard]] std::string describe(const Shape& shape);

/// The size of a shape that has not been checked yet, where an integer could overflow.
[[nodiscard]] inline double neurons_in(const Shape& shape) {
  return static_cast<double>(shape.height) * shape.width * shape.channels;
}

/// Limits of one layer and one connection; they keep every index inside 32 bits.
inline constexpr std::uint64_t most_neurons = std::uint64_t{1}
                                              << 16;  // ids in spike lists have 16 bits
inline constexpr std::uint64_t most_weights = (std::uint64_t{1} << 32) - 2;
inline constexpr std::uint32_t most_steps = 65'536;
inline constexpr std::uint32_t longest_delay = 1023;

}  // namespace tessera::training::validation
