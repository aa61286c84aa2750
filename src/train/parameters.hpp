// Trainable parameters of a network: which there are, and their initial values.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tessera/training.hpp"
#include "train/parameter_array.hpp"
#include "train/topology.hpp"

namespace tessera::training {

/// The decay factors a layer may have: alpha, kappa, rho.
enum class DecayRole : std::uint32_t { membrane, synapse, adaptation };

[[nodiscard]] const Decay& decay_of(const Layer& layer, DecayRole role);
/// Whether a layer of this kind has such a factor at all.
[[nodiscard]] bool has_decay(NeuronKind neuron, DecayRole role);
/// "membrane_logit", "synapse_logit", "adaptation_logit".
[[nodiscard]] std::string_view logit_suffix(DecayRole role);
/// Whether the factor is kept as a tensor of logits: it is trained, or differs between neurons.
[[nodiscard]] bool has_logit(const Decay& decay);

/// The initial factor of every neuron, log-uniform in tau = -1 / ln(alpha) between those of low and
/// high. Neurons share one value unless decay.per_neuron.
[[nodiscard]] std::vector<double> decay_values(const Decay& decay, std::uint32_t neurons,
                                               std::uint64_t seed, std::uint32_t layer,
                                               DecayRole role);
/// The current factor of every neuron: 1 / (1 + exp(-logit)), or decay.low where there is no
/// tensor.
[[nodiscard]] std::vector<double> current_decay(const Decay& decay, const Tensor* logit,
                                                std::uint32_t neurons);

/// All tensors of the network in a fixed order: by layer weight, recurrent_weight, bias, logits of
/// membrane, synapse, adaptation. Weights ~ N(0, gain / sqrt(fan_in of their connection)), bias 0.
/// Every value is a function of the seed and its place alone.
[[nodiscard]] std::vector<Tensor> initial_parameters(const Network& network,
                                                     const std::vector<LayerTopology>& topology,
                                                     std::uint64_t seed);

/// The same values straight into arrays, which may hold some of them only: no tensor is made for a weight.
void assign_initial(const Network& network, const std::vector<LayerTopology>& topology, std::uint64_t seed,
                    const std::vector<ParameterArray*>& arrays);

/// The tensor "<layer>.<suffix>", or null.
[[nodiscard]] const Tensor* find_tensor(const std::vector<Tensor>& tensors, std::string_view layer,
                                        std::string_view suffix);
[[nodiscard]] Tensor* find_tensor(std::vector<Tensor>& tensors, std::string_view layer,
                                  std::string_view suffix);

}  // namespace tessera::training
