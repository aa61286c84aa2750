// Who is connected to whom in a network that is trained: shapes, pooling, sparse structure and
// delays.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tessera/training.hpp"
#include "train/layer_share.hpp"

namespace tessera::training {

/// In pooled_index: a source outside every pooling window, which reaches nobody.
inline constexpr std::uint32_t not_pooled = std::numeric_limits<std::uint32_t>::max();

/// The input or the recurrent connection of a layer. A recurrent connection acts one step later,
/// plus its delays. Weights are indexed
///   dense        pooled source * targets + target
///   sparse       the synapse's place in target_of
///   convolution  ((channel * kernel + dy) * kernel + dx) * filters + filter: output pixel
///                (oy, ox) sees the input pixel
///                (oy * stride + dy - padding, ox * stride + dx - padding)
/// and a spike arrives as weight * scale.
struct Projection {
  Connection spec;
  Shape source;  ///< before pooling
  Shape pooled;  ///< after pooling; where the windows do not divide the size, the remaining
                 ///< pixels at the bottom and on the right are dropped
  Shape target;
  std::uint32_t sources = 0;  ///< source.size()
  std::uint32_t targets = 0;  ///< target.size()
  float scale = 1.0F;         ///< of pooling: 1 / pool^2 for the average, else 1
  /// Of every source, or not_pooled; empty when pool == 1.
  std::vector<std::uint32_t> pooled_index;
  /// Sparse: row r = pooled source * rows_per_source() + delay holds the synapses row_first[r] ..
  /// row_first[r + 1], with ascending targets. A pair of neurons has at most one synapse.
  std::vector<std::uint32_t> row_first;
  std::vector<std::uint32_t> target_of;
  std::size_t weights = 0;  ///< trainable weights
  /// Sparse, where this rank has only the synapses of its own tiles: the index of the first weight of every row;
  /// weights of other tiles lie between the rows. Empty: row_first.
  std::vector<std::uint32_t> row_weight;
  double fan_in = 0.0;      ///< expected synapses of a target
  std::uint64_t seed = 1;   ///< of random numbers, with ...
  std::uint32_t number = 0; ///< ... the number of the connection in the network

  [[nodiscard]] std::uint32_t rows_per_source() const {
    return spec.kind == ConnectionKind::sparse ? spec.max_delay + 1 : 1;
  }
  [[nodiscard]] bool rewires() const { return spec.rewiring.has_value(); }
  /// Frees the drawn structure, where something else keeps it.
  void forget_synapses() {
    row_first = {};
    target_of = {};
  }
  [[nodiscard]] std::uint32_t pooled_of(std::uint32_t source_index) const {
    return pooled_index.empty() ? source_index : pooled_index[source_index];
  }
};

struct LayerTopology {
  Shape shape;
  std::uint32_t neurons = 0;
  std::uint32_t tile_width = 0;  ///< neurons of a tile of the sparse strategy; a convolution is one tile
  LayerShare share;              ///< of these tiles
  Projection input;
  std::optional<Projection> recurrent;
  double fan_in = 0.0;  ///< of the input
};

/// The shape after pooling, and the shape of a layer that `connection` feeds. A shape that does not
/// exist (a kernel larger than the padded image) has a zero in it.
[[nodiscard]] Shape pooled_shape(const Shape& source, std::uint32_t pool);
[[nodiscard]] Shape target_shape(const Connection& connection, const Shape& source,
                                 std::uint32_t size);

/// The network must be valid. Sparse structure and delays are functions of the seed, the layer and
/// the source alone. Throws InputError when a drawn structure has more than 2^32 - 2 synapses.
/// Where `rule` divides layers, sparse connections have the synapses of the rank's own tiles only.
[[nodiscard]] std::vector<LayerTopology> resolve(const Network& network, std::uint64_t seed,
                                                 const ShareRule& rule = {});

namespace topology_detail {

/// The output coordinate that sees input coordinate `at` through kernel position `offset`, or -1.
inline std::int64_t output_coordinate(std::int64_t at, std::uint32_t offset, const Connection& spec,
                                      std::uint32_t outputs) {
  const std::int64_t scaled = at + spec.padding - static_cast<std::int64_t>(offset);
  if (scaled < 0 || scaled % spec.stride != 0) return -1;
  return scaled / spec.stride < outputs ? scaled / spec.stride : -1;
}

template <class F>
void for_each_convolution(const Projection& projection, std::uint32_t source, std::uint32_t pooled,
                          F& f) {
  const Connection& spec = projection.spec;
  const std::uint32_t channel = pooled % projection.pooled.channels;
  const std::uint32_t pixel = pooled / projection.pooled.channels;
  const std::uint32_t y = pixel / projection.pooled.width;
  const std::uint32_t x = pixel % projection.pooled.width;
  for (std::uint32_t dy = 0; dy < spec.kernel; ++dy) {
    const std::int64_t oy = output_coordinate(y, dy, spec, projection.target.height);
    if (oy < 0) continue;
    for (std::uint32_t dx = 0; dx < spec.kernel; ++dx) {
      const std::int64_t ox = output_coordinate(x, dx, spec, projection.target.width);
      if (ox < 0) continue;
      const auto target = static_cast<std::uint32_t>(oy * projection.target.width + ox) *
                          projection.target.channels;
      const std::size_t weight =
          ((std::size_t{channel} * spec.kernel + dy) * spec.kernel + dx) * spec.filters;
      for (std::uint32_t filter = 0; filter < spec.filters; ++filter)
        f(source, target + filter, 0U, weight + filter);
    }
  }
}

}  // namespace topology_detail

/// Calls f(source, target, delay, weight index) for every synapse, by ascending source (before
/// pooling).
template <class F>
void for_each_synapse(const Projection& projection, F f) {
  const std::uint32_t rows = projection.rows_per_source();
  for (std::uint32_t source = 0; source < projection.sources; ++source) {
    const std::uint32_t pooled = projection.pooled_of(source);
    if (pooled == not_pooled) continue;
    switch (projection.spec.kind) {
      case ConnectionKind::dense:
        for (std::uint32_t target = 0; target < projection.targets; ++target)
          f(source, target, 0U, std::size_t{pooled} * projection.targets + target);
        break;
      case ConnectionKind::sparse:
        for (std::uint32_t delay = 0; delay < rows; ++delay) {
          const std::size_t row = std::size_t{pooled} * rows + delay;
          for (std::size_t i = projection.row_first[row]; i < projection.row_first[row + 1]; ++i)
            f(source, projection.target_of[i], delay, i);
        }
        break;
      case ConnectionKind::convolution:
        topology_detail::for_each_convolution(projection, source, pooled, f);
        break;
    }
  }
}

}  // namespace tessera::training
