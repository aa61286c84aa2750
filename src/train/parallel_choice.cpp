// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/parallel_choice.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/process_limits.hpp"
#include "train/topology.hpp"

namespace tessera::training {
namespace {

// Value and gradient; where a synapse lies, its target and delay, and the target again while they are drawn.
constexpr double kValue = 8.0, kState = 4.0, kSum = 4.0, kSparse = 12.0;

double state_bytes(const Optimizer& o) {
  return o.kind == OptimizerKind::adamw ? 2.0 * kState : o.momentum > 0.0 ? kState : 0.0;
}

}  // namespace

double parameter_bytes(const Network& network, const Options& options) {
  const double each = kValue + state_bytes(options.optimizer) + (options.slices > 1 ? kSum : 0.0);
  const std::vector<Shape> shapes = layer_shapes(network);
  double bytes = 0.0;
  const auto add = [&](const Connection& c, double sources, double targets) {
    const bool sparse = c.kind == ConnectionKind::sparse;
    bytes += sources * targets * (sparse ? c.density * (each + kSparse) : each);
  };
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const Layer& layer = network.layers[k];
    const Shape source = k == 0 ? network.input : shapes[k - 1], pooled = pooled_shape(source, layer.input.pool);
    const auto neurons = static_cast<double>(shapes[k].size());
    if (layer.input.kind == ConnectionKind::convolution) {
      bytes += each * layer.input.kernel * layer.input.kernel * pooled.channels * layer.input.filters;
    } else {
      add(layer.input, static_cast<double>(pooled.size()), neurons);
    }
    if (layer.recurrent) add(*layer.recurrent, neurons, neurons);
  }
  return bytes;
}

Parallel choose_parallel(const Network& network, const Options& options, std::uint64_t rank_bytes) {
  if (rank_bytes == 0 || 2.0 * parameter_bytes(network, options) <= static_cast<double>(rank_bytes)) return Parallel::data;
  Options shared = options;
  shared.parallel = Parallel::model;
  return validate(network, shared).empty() ? Parallel::model : Parallel::data;
}

std::uint64_t least_memory(const Agreement& ranks) {
  struct Here {
    std::array<char, 256> host{};
    std::uint64_t bytes = 0;
  } own;
  gethostname(own.host.data(), own.host.size() - 1);
  own.bytes = process_limits().memory_bytes;
  const std::vector<Here> all = ranks.all(own);
  std::uint64_t least = ~std::uint64_t{0};
  for (const Here& rank : all) {
    const auto beside = std::count_if(all.begin(), all.end(), [&](const Here& other) { return other.host == rank.host; });
    least = std::min(least, rank.bytes / static_cast<std::uint64_t>(beside));
  }
  return least;
}

Options with_parallel_chosen(const Network& network, Options options) {
  if (options.parallel != Parallel::automatic) return options;
  const Agreement ranks(options.communicator);
  options.parallel = ranks.alone() ? Parallel::data : choose_parallel(network, options, least_memory(ranks));
  return options;
}

}  // namespace tessera::training
