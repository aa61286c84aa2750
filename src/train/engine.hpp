// The strategies of training behind one interface: each computes the same function, to rounding.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/agreement.hpp"
#include "train/crew.hpp"
#include "train/parameter_array.hpp"
#include "train/topology.hpp"

namespace tessera::training {

class Engine {
 public:
  virtual ~Engine() = default;
  /// In the order of initial_parameters().
  [[nodiscard]] virtual std::vector<ParameterArray*> arrays() = 0;
  virtual void parameters_changed() = 0;

  /// Forward, and with `gradients` backward. Then every worker calls `finish` (the update), inside
  /// the same run. Throws DivergedError when the loss is not finite; nothing was updated then.
  virtual BatchResult run(Crew& crew, const SpikeBatch& batch, double theta_grad, bool gradients,
                          const std::function<void(Worker&)>& finish) = 0;

  /// Of the last run, see Trainer.
  [[nodiscard]] virtual std::vector<float> output() const = 0;
  [[nodiscard]] virtual std::vector<std::array<std::uint32_t, 2>> spikes(
      std::size_t layer, std::uint32_t sample) const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_over_time() const = 0;

  // Of engines with a substrate; see Trainer.
  [[nodiscard]] virtual SubstrateUse substrate_use() const { return {}; }
  virtual std::vector<double> calibrate() { return {}; }
  [[nodiscard]] virtual std::vector<float> calibration() const { return {}; }
  virtual void set_calibration(const std::vector<float>&) {}

  /// Which run it is, for noise and for regularisers that fade: how many batches have been trained, which of several
  /// looks at the network after that (0: training), and the epoch.
  struct Moment {
    std::uint64_t batch = 0;
    std::uint32_t look = 0;
    std::uint32_t epoch = 0;
  };
  void set_moment(const Moment& moment) noexcept { moment_ = moment; }
  /// The derivative of somebody else's loss with respect to the output, [steps][samples][classes], which outlives the
  /// runs; empty: the own loss has it.
  void set_output_derivative(std::span<const float> derivative) noexcept { output_derivative_ = derivative; }

 protected:
  [[nodiscard]] const Moment& moment() const noexcept { return moment_; }
  [[nodiscard]] std::span<const float> output_derivative() const noexcept { return output_derivative_; }

 private:
  Moment moment_;
  std::span<const float> output_derivative_;
};

/// The topology must outlive the engine. `eprop`: learns by e-prop, `seed` is that of its feedback. `ranks` own the tiles together where the topology says so.
[[nodiscard]] std::unique_ptr<Engine> make_sparse_engine(
    const Network& network, const Loss& loss, const std::vector<LayerTopology>& topology,
    const Agreement& ranks, const std::optional<Eprop>& eprop = {}, std::uint64_t seed = 0,
    std::shared_ptr<const Substrate> substrate = nullptr);
/// Throws InputError with dense_obstacle().
[[nodiscard]] std::unique_ptr<Engine> make_dense_engine(const Network& network, const Loss& loss,
                                                        const std::vector<LayerTopology>& topology,
                                                        int workers);
[[nodiscard]] std::unique_ptr<Engine> make_reference_engine(
    const Network& network, const Loss& loss, const std::vector<LayerTopology>& topology);
/// Why the dense strategy cannot run this network with so many workers, as a sentence; empty when it
/// can. Opens OpenBLAS when nothing in the network is against it.
[[nodiscard]] std::string dense_obstacle(const Network& network, int workers = 1);
/// The same from the network alone: OpenBLAS is not looked for.
[[nodiscard]] std::string dense_network_obstacle(const Network& network);

/// "The loss became nan ..." naming the first layer with a parameter that is not finite, else the
/// output.
[[noreturn]] void throw_diverged(double loss, const Network& network,
                                 const std::vector<ParameterArray*>& arrays);

}  // namespace tessera::training
