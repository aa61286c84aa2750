// Resolving layers into projections; drawing sparse structure and delays from random keys.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.hpp"
#include "train/tile_width.hpp"

namespace tessera::training {
namespace {

struct Drawn {
  std::uint32_t target;
  std::uint32_t delay;
};

/// Bernoulli per target, by the geometric distances between successes. Ascending targets.
void draw_source(RandomStream& stream, const Connection& spec, std::uint32_t targets,
                 std::vector<Drawn>& drawn) {
  drawn.clear();
  const double log_miss = spec.density < 1.0 ? std::log1p(-spec.density) : 0.0;
  std::uint64_t target = 0;
  while (true) {
    if (spec.density < 1.0) {
      const double misses = std::floor(std::log1p(-stream.next_unit()) / log_miss);
      if (!(misses < static_cast<double>(targets))) return;
      target += static_cast<std::uint64_t>(misses);
    }
    if (target >= targets) return;
    const std::uint32_t delay =
        spec.min_delay + stream.next_below(spec.max_delay - spec.min_delay + 1);
    drawn.push_back({static_cast<std::uint32_t>(target), delay});
    ++target;
  }
}

struct TargetRange {
  std::uint32_t begin, end;
  bool divided;  // others may have other targets
};

// `own`: the targets whose synapses are kept.
void draw_structure(Projection& projection, RandomKey key, std::uint32_t entity,
                    const std::string& layer, TargetRange own) {
  const Connection& spec = projection.spec;
  const auto pooled_sources = static_cast<std::uint32_t>(projection.pooled.size());
  projection.row_first.assign(1, 0);
  projection.row_first.reserve(std::size_t{pooled_sources} * projection.rows_per_source() + 1);
  std::vector<Drawn> drawn;
  for (std::uint32_t source = 0; source < pooled_sources; ++source) {
    RandomStream stream(key, Purpose::training_structure, source, entity);
    draw_source(stream, spec, projection.targets, drawn);
    if (projection.weights + drawn.size() >= not_pooled)
      throw InputError(fmt::format(
          "Layer '{}': a sparse connection with density {} between {} and {} neurons has more than "
          "4,294,967,294 synapses.",
          layer, spec.density, pooled_sources, projection.targets));
    std::stable_sort(drawn.begin(), drawn.end(),
                     [](const Drawn& a, const Drawn& b) { return a.delay < b.delay; });
    auto next = drawn.begin();
    for (std::uint32_t delay = 0; delay < projection.rows_per_source(); ++delay) {
      std::size_t first = projection.weights;  // of the own ones
      for (; next != drawn.end() && next->delay == delay; ++next) {
        first += next->target < own.begin ? 1 : 0;
        if (next->target >= own.begin && next->target < own.end) projection.target_of.push_back(next->target);
        ++projection.weights;
      }
      projection.row_first.push_back(static_cast<std::uint32_t>(projection.target_of.size()));
      if (own.divided) projection.row_weight.push_back(static_cast<std::uint32_t>(first));
    }
  }
}

void set_pooling(Projection& projection) {
  const std::uint32_t pool = projection.spec.pool;
  projection.pooled = pooled_shape(projection.source, pool);
  if (pool == 1) return;
  if (projection.spec.pooling == Pooling::average)
    projection.scale = static_cast<float>(1.0 / (static_cast<double>(pool) * pool));
  const Shape& source = projection.source;
  const Shape& pooled = projection.pooled;
  projection.pooled_index.assign(projection.sources, not_pooled);
  for (std::uint32_t i = 0; i < projection.sources; ++i) {
    const std::uint32_t channel = i % source.channels;
    const std::uint32_t y = i / source.channels / source.width / pool;
    const std::uint32_t x = i / source.channels % source.width / pool;
    if (y < pooled.height && x < pooled.width)
      projection.pooled_index[i] = (y * pooled.width + x) * pooled.channels + channel;
  }
}

Projection resolve_connection(const Connection& spec, const Shape& source, const Shape& target,
                              std::uint64_t seed, std::uint32_t entity, const std::string& layer,
                              TargetRange own) {
  const RandomKey key(seed);
  Projection projection;
  projection.seed = seed;
  projection.number = entity;
  projection.spec = spec;
  projection.source = source;
  projection.target = target;
  projection.sources = static_cast<std::uint32_t>(source.size());
  projection.targets = static_cast<std::uint32_t>(target.size());
  set_pooling(projection);
  const auto pooled = static_cast<std::size_t>(projection.pooled.size());
  switch (spec.kind) {
    case ConnectionKind::dense:
      projection.weights = pooled * projection.targets;
      projection.fan_in = static_cast<double>(pooled);
      break;
    case ConnectionKind::sparse:
      draw_structure(projection, key, entity, layer, own);
      projection.fan_in = spec.density * static_cast<double>(pooled);
      break;
    case ConnectionKind::convolution:
      projection.fan_in =
          static_cast<double>(spec.kernel) * spec.kernel * projection.pooled.channels;
      projection.weights = static_cast<std::size_t>(projection.fan_in) * spec.filters;
      break;
  }
  return projection;
}

std::uint32_t output_size(std::uint32_t input, const Connection& connection) {
  const std::uint64_t padded = std::uint64_t{input} + 2 * std::uint64_t{connection.padding};
  if (padded < connection.kernel || connection.stride == 0) return 0;
  return static_cast<std::uint32_t>((padded - connection.kernel) / connection.stride + 1);
}

}  // namespace

Shape pooled_shape(const Shape& source, std::uint32_t pool) {
  if (pool == 0) return {0, 0, source.channels};
  return {source.height / pool, source.width / pool, source.channels};
}

Shape target_shape(const Connection& connection, const Shape& source, std::uint32_t size) {
  if (connection.kind != ConnectionKind::convolution) return {1, 1, size};
  const Shape pooled = pooled_shape(source, connection.pool);
  return {output_size(pooled.height, connection), output_size(pooled.width, connection),
          connection.filters};
}

std::vector<Shape> layer_shapes(const Network& network) {
  std::vector<Shape> shapes;
  Shape source = network.input;
  for (const Layer& layer : network.layers)
    shapes.push_back(source = target_shape(layer.input, source, layer.size));
  return shapes;
}

std::vector<LayerTopology> resolve(const Network& network, std::uint64_t seed, const ShareRule& rule) {
  std::vector<LayerTopology> topology;
  Shape source = network.input;
  for (std::uint32_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    LayerTopology resolved;
    resolved.shape = target_shape(layer.input, source, layer.size);
    resolved.neurons = static_cast<std::uint32_t>(resolved.shape.size());
    resolved.tile_width = tile_width(layer, pooled_shape(source, layer.input.pool).size(), resolved.neurons);
    resolved.share = rule.of((resolved.neurons + resolved.tile_width - 1) / resolved.tile_width);
    const TargetRange own = rule.divides ? TargetRange{resolved.share.begin() * resolved.tile_width,
                                                         resolved.share.end() * resolved.tile_width, true}
                                           : TargetRange{0, resolved.neurons, false};
    resolved.input =
        resolve_connection(layer.input, source, resolved.shape, seed, 2 * i, layer.name, own);
    resolved.fan_in = resolved.input.fan_in;
    if (layer.recurrent)
      resolved.recurrent = resolve_connection(*layer.recurrent, resolved.shape, resolved.shape, seed,
                                              2 * i + 1, layer.name, own);
    source = resolved.shape;
    topology.push_back(std::move(resolved));
  }
  return topology;
}

}  // namespace tessera::training
