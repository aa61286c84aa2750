// The rules of all connections of a network that rewire: called around every batch, in the order of the
// connections, on one thread, so that neither threads nor ranks change what they do.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "train/parameter_array.hpp"
#include "train/rewiring_rules.hpp"

namespace tessera::training {

class Rewirer {
 public:
  /// Makes the rules of the arrays that rewire. Called before they get their synapses.
  void attach(const std::vector<ParameterArray*>& arrays);
  [[nodiscard]] bool active() const noexcept { return !parts_.empty(); }

  /// What rules are told; `batch` counts from 0.
  struct Moment {
    std::uint64_t batch = 0, batches = 0;
    double learning_rate = 0.0;
  };
  [[nodiscard]] bool due(std::uint64_t batch) const;
  [[nodiscard]] bool wants_gradients(std::uint64_t batch) const;
  /// Both return whether an array changed its size.
  bool before_batch(const Moment& moment);
  bool after_batch(const Moment& moment, BatchResult& result);

  /// Tensors for checkpoints: free slots, ages, what rules keep.
  [[nodiscard]] std::vector<Tensor> state() const;
  /// Throws InputError for what is missing or cannot be. The arrays must have their synapses.
  void check_state(const std::vector<Tensor>& state) const;
  void set_state(const std::vector<Tensor>& state);

 private:
  struct Part {
    ParameterArray* array;
    std::unique_ptr<RewiringRule> rule;
    std::uint32_t interval;
    std::vector<RewiredConnection::Probe> probes;
    std::uint64_t refused = 0;  ///< among them
  };
  [[nodiscard]] static RewiredConnection connection_of(Part& part, const Moment& moment);
  std::vector<Part> parts_;
};

}  // namespace tessera::training
