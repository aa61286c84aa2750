// Linear nodes of a NIR file as weights of a layer.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interchange/nir_graph.hpp"
#include "tessera/nir.hpp"

namespace tessera::nir {

/// Sizes of a layer as files have them: one number, or channels, height, width.
using Dims = std::vector<std::uint32_t>;

[[nodiscard]] std::uint64_t count(const Dims& dims);
[[nodiscard]] std::string text_of(const std::vector<std::uint64_t>& shape);
/// Height, width and channels, as they are here.
[[nodiscard]] training::Shape our_shape(const Dims& dims);
[[nodiscard]] Dims their_shape(const training::Shape& shape);
/// For every neuron in our order (channels last) its number in a file.
[[nodiscard]] std::vector<std::uint32_t> order_of(const Dims& dims);

/// One value for every neuron, in our order; a single value stands for all. Throws InputError.
[[nodiscard]] std::vector<double> neuron_values(const Graph& graph, const Node& node, const std::string& field,
                                                const Dims& dims);
/// Two whole numbers from -1 to 65,536; one stands for both. Throws InputError.
[[nodiscard]] std::array<std::int64_t, 2> pair_of(const Graph& graph, const Node& node, const std::string& field);
/// Of an Input or Output. Throws InputError.
[[nodiscard]] Dims shape_of(const Graph& graph, const Node& node);

/// What comes in front of neurons.
struct Weights {
  bool convolution = false;
  std::vector<double> values;  ///< [sources, targets], or of a convolution [channels, kernel, kernel, filters]
  std::vector<double> bias;    ///< of every target, in our order
  Dims target;
};

/// Affine, Linear, Scale and Flatten, one after the other, on `source`; no node is the identity. Throws InputError.
[[nodiscard]] Weights dense_weights(const Graph& graph, const std::vector<const Node*>& chain, const Dims& source,
                                    const Node& neurons);
/// Fills in the connection. Throws InputError.
[[nodiscard]] Weights convolution_weights(const Graph& graph, const Node& node, const Dims& source,
                                          training::Connection& connection);
/// Fills in the connection; returns the sizes behind the pooling. Throws InputError.
[[nodiscard]] Dims pooled(const Graph& graph, const Node& node, const Dims& source, training::Connection& connection);

/// import_nir() and export_nir() behind and before the file. Throw InputError.
[[nodiscard]] training::NirNetwork network_of(const Graph& graph, const training::NirOptions& options);
[[nodiscard]] Graph graph_of(const training::Network& network, const std::vector<training::Tensor>& weights);

}  // namespace tessera::nir
