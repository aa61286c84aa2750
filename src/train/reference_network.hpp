// The oracle of training: dense back-propagation through time in float64, sequential, as the
// equations in training.hpp say it. Everything is stored for every step; nothing is fast.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tessera/training.hpp"
#include "train/topology.hpp"

namespace tessera::training {

/// The values of all tensors in float64, in the order of initial_parameters().
using ReferenceValues = std::vector<std::vector<double>>;

/// State of one layer, each array [steps][samples][neurons]. Arrays that its kind has not are
/// empty.
struct ReferenceTrace {
  std::vector<double> input;       ///< I: weighted spikes and bias
  std::vector<double> current;     ///< i, synaptic_lif
  std::vector<double> adaptation;  ///< a, adaptive_lif
  std::vector<double> u;
  std::vector<double> spike;  ///< s; of a smoothed network the smooth spike. Empty for a readout
  std::vector<double> reset;  ///< 0 or 1: the s in the reset, which is detached
};

struct ReferenceRun {
  double loss = 0.0;         ///< mean over samples, without regularisers
  double regulariser = 0.0;  ///< sum of the regularisers of all layers
  std::uint32_t correct = 0;
  std::vector<std::int32_t> prediction;
  std::vector<double> output_derivative;  ///< d loss / d output, [steps][samples][classes]
  std::vector<ReferenceTrace> layers;
  [[nodiscard]] const std::vector<double>& output() const {
    return layers.back().spike.empty() ? layers.back().u : layers.back().spike;
  }
};

struct ReferenceOptions {
  /// Backward: the surrogate is 0 where u <= theta_grad / theta * threshold.
  double theta_grad = -std::numeric_limits<double>::infinity();
  /// The spike function is replaced by the one whose derivative is the surrogate, so that gradients
  /// equal finite differences. The reset stays a step and, being detached, is copied from `base` if
  /// given.
  bool smoothed = false;
  std::uint32_t epoch = 0;  ///< for regularisers that fade
  const ReferenceRun* base = nullptr;
};

class Reference {
 public:
  /// Both must outlive the reference.
  Reference(const Network& network, const std::vector<LayerTopology>& topology);

  /// Throws DivergedError naming the first layer whose state is not finite.
  [[nodiscard]] ReferenceRun run(const ReferenceValues& parameters, const SpikeBatch& batch,
                                 const Loss& loss, const ReferenceOptions& options = {}) const;
  /// d (loss + regularisers) / d parameters; 0 for decay factors that are not trained. Throws
  /// DivergedError naming the first layer, from the output down, with a gradient that is not
  /// finite.
  [[nodiscard]] ReferenceValues gradients(const ReferenceValues& parameters,
                                          const SpikeBatch& batch, const ReferenceRun& run,
                                          const ReferenceOptions& options = {}) const;
  /// Whether neuron n (an index into the trace's arrays) passes gradients.
  [[nodiscard]] static bool is_listed(const Layer& layer, const ReferenceTrace& trace,
                                      std::size_t n, double theta_grad);

 private:
  struct Synapse {
    std::uint32_t source, target, delay;
    std::size_t weight;
  };
  /// The synapses of a projection by source, and when they arrive: delay + lag steps later.
  struct Synapses {
    std::vector<Synapse> list;
    std::vector<std::size_t> first;  ///< of every source; sources + 1
    double scale = 1.0;
    std::uint32_t lag = 0;
    [[nodiscard]] std::span<const Synapse> of(std::size_t source) const {
      return std::span(list).subspan(first[source], first[source + 1] - first[source]);
    }
  };
  /// One layer: its synapses, and the places of its tensors in the values (-1: it has none).
  struct Part {
    Synapses input, recurrent;
    std::uint32_t sources = 0, neurons = 0;
    int weight = -1, recurrent_weight = -1, bias = -1, alpha = -1, kappa = -1, rho = -1;
  };
  struct Size {
    std::size_t steps, samples;
  };
  /// What is passed down while going backward: derivatives by I and by s,
  /// [steps][samples][neurons].
  struct Backward;

  [[nodiscard]] static Synapses list_synapses(const Projection& projection, std::uint32_t lag);
  void forward_layer(std::size_t index, const ReferenceValues& parameters,
                     const std::vector<double>& below, Size size, const ReferenceOptions& options,
                     ReferenceTrace& trace) const;
  void neuron_step(std::size_t index, const ReferenceValues& parameters, std::size_t t, Size size,
                   const ReferenceOptions& options, ReferenceTrace& trace) const;
  void neuron_step_back(std::size_t index, const ReferenceValues& parameters, std::size_t t,
                        Size size, const ReferenceTrace& trace, double theta_grad,
                        Backward& back) const;
  void backward_layer(std::size_t index, const ReferenceValues& parameters,
                      const std::vector<double>& below, Size size, const ReferenceTrace& trace,
                      double theta_grad, Backward& back, std::vector<double>& d_below,
                      ReferenceValues& gradients) const;
  void store_decay_gradients(const Part& part, const Layer& layer,
                             const ReferenceValues& parameters, const Backward& back,
                             ReferenceValues& gradients) const;

  const Network& network_;
  std::vector<Part> parts_;
};

/// Tensors (in the order of initial_parameters) as float64, and gradients as tensors of the same
/// names.
[[nodiscard]] ReferenceValues to_values(const std::vector<Tensor>& tensors);
[[nodiscard]] std::vector<Tensor> to_tensors(const ReferenceValues& values,
                                             const std::vector<Tensor>& like);
/// The spikes of a batch as 0 and 1, [steps][samples][channels].
[[nodiscard]] std::vector<double> dense_spikes(const SpikeBatch& batch);

namespace reference_detail {

/// The decay factor of neuron j: fixed, or from its logit, or from the layer's one.
[[nodiscard]] double decay_factor(const Decay& decay, const ReferenceValues& parameters, int place,
                                  std::size_t j);
/// What is left of u before it decays.
[[nodiscard]] double after_reset(const Layer& layer, double u, double reset);
/// Whether neuron n of the arrays spiked less than `refractory` steps ago; the same neuron of the step before lies `row`
/// places before it.
[[nodiscard]] bool is_refractory(const Layer& layer, const ReferenceTrace& trace, std::size_t n, std::size_t row);
/// d regulariser / d z for a neuron with z spikes per step, without strength / N.
[[nodiscard]] double activity_slope(const ActivityRegulariser& regulariser, double z);
/// Spikes per step of every neuron, over batch and time.
[[nodiscard]] std::vector<double> activity(const ReferenceTrace& trace, std::size_t lists,
                                           std::size_t neurons);

}  // namespace reference_detail
}  // namespace tessera::training
