// The neurons of one chunk, or some of them, on a tile: their state, the input that needs no synapses, their update.
// State is everything here; reset, checkpoint and comparison go through columns().
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_array.hpp"
#include "base/random.hpp"
#include "base/time_grid.hpp"
#include "connectivity/chunks.hpp"
#include "kernels/poisson.hpp"
#include "substrate/variation.hpp"
#include "tessera/network.hpp"

namespace tessera {

/// What all blocks of a population share.
struct PopulationKernel {
  const Population* population = nullptr;
  NeuronVariant variant;
  std::vector<double> default_initial;  ///< per state column
  double weight_unit = 1.0;  ///< physical weight per integer unit
  double input_gain = 1.0;   ///< of a circuit of a chip, by which its input differs
};

/// What is added to the membranes of a chip in every step, in distances from leak to threshold.
struct MembraneNoise {
  substrate::NoiseTable table;
  std::uint64_t seed = 1;
  std::uint32_t run = 0;
  std::vector<double> distance;  ///< per population, mV; 0: no noise
};

/// Of every population; sources have an empty variant. `weight_unit`: per population.
[[nodiscard]] std::vector<PopulationKernel> make_kernels(const Network& network, const NeuronCatalogue& models,
                                                         const std::vector<double>& weight_unit);

template <class Real>
class NeuronBlock {
 public:
  using Input = typename InputOf<Real>::type;

  /// `places`: of its neurons in the chunk, ascending; empty: all of it. `first_id`: of the chunk's first neuron.
  NeuronBlock(const Network& network, const PopulationKernel& kernel, const Chunk& chunk,
              std::vector<std::uint32_t> places, std::uint32_t chunk_index, std::uint32_t first_id, RandomKey key);
  /// Several blocks share the input of a chunk: the first one draws its Poisson trains, for all of them.
  void leave_poisson_to_others() { poisson_.clear(); }
  void set_noise(const MembraneNoise* noise) { noise_ = noise; }

  /// Advances from step to step + 1. `input` has one column per port, of the whole chunk; what was taken is
  /// cleared. `spikes` has
  /// room for one place in the chunk per neuron. Returns how many spiked.
  std::size_t update(std::int64_t step, Input* const* input, std::uint32_t* spikes);

  [[nodiscard]] const Chunk& chunk() const { return chunk_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }  ///< neurons here
  /// Of the neuron with this number here, its place in the chunk.
  [[nodiscard]] std::uint32_t place_of(std::uint32_t neuron) const { return places_.empty() ? neuron : places_[neuron]; }
  [[nodiscard]] std::uint32_t first_id() const { return first_id_; }  ///< global
  [[nodiscard]] int ports() const { return kernel_->variant.ports; }
  /// Where and when a membrane potential was first not a finite number; step -1: never.
  struct NotFinite {
    std::int64_t step = -1;
    std::uint32_t neuron = 0;  ///< its place in the chunk
  };
  [[nodiscard]] const NotFinite& not_finite() const { return not_finite_; }
  /// Call after the state was changed from outside, or time set back.
  void forget_time() {
    next_current_change_ = -1;
    not_finite_ = {};
  }
  [[nodiscard]] const NeuronVariant& variant() const { return kernel_->variant; }
  /// A state variable in physical units.
  [[nodiscard]] double value(std::size_t column, std::uint32_t neuron) const {
    return static_cast<double>(columns_[column][neuron]) + (column == 0 ? kernel_->variant.origin : 0.0);
  }
  /// To the last bit as it was, where that is the value already.
  void set_value(std::size_t column, std::uint32_t neuron, double value) {
    if (value != this->value(column, neuron)) columns_[column][neuron] = static_cast<Real>(value - (column == 0 ? kernel_->variant.origin : 0.0));
  }
  /// Takes the stimuli as they are now; their kinds and targets are the same.
  void renew_stimuli(const Network& network);
  [[nodiscard]] std::uint32_t refractory_steps(std::uint32_t neuron) const { return refractory_[neuron]; }  ///< left
  [[nodiscard]] std::vector<AlignedArray<Real>>& columns() { return columns_; }
  [[nodiscard]] AlignedArray<std::uint16_t>& refractory() { return refractory_; }

 private:
  struct PoissonInput {
    PoissonTable table;
    StepWindow window;  ///< in which its spikes arrive
    std::uint32_t stream;
    Input weight;
  };
  struct CurrentInput {
    StepWindow window;
    double amplitude;
    const std::vector<double>* values;  ///< of the whole population, or null
  };

  void initialise(const Network& network, RandomKey key);
  void add_stimuli(const Network& network);
  void set_current(std::int64_t step);
  void add_poisson(std::int64_t step, Input* const* input);
  void gather(Input* const* input);
  void add_noise(std::int64_t step);

  const PopulationKernel* kernel_;
  Chunk chunk_;
  std::vector<std::uint32_t> places_;  ///< empty: all of the chunk
  std::uint32_t count_;
  AlignedArray<Input> own_input_[2];   ///< per port, where only some of the chunk's neurons live here
  std::uint32_t first_id_;
  std::uint32_t chunk_index_;
  RandomKey key_;
  std::vector<AlignedArray<Real>> columns_;
  std::vector<Real*> column_pointers_;
  AlignedArray<std::uint16_t> refractory_;
  AlignedArray<Real> current_;  ///< per neuron; empty while all receive the same
  Real uniform_current_ = 0;
  std::vector<CurrentInput> currents_;
  std::int64_t next_current_change_ = -1;  ///< step at which the sum of currents must be made again
  std::vector<PoissonInput> poisson_;
  std::vector<std::int32_t> poisson_counts_;
  NotFinite not_finite_;
  const MembraneNoise* noise_ = nullptr;
};

extern template class NeuronBlock<float>;
extern template class NeuronBlock<double>;

}  // namespace tessera
