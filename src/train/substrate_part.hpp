// A part of a layer on a chip: the layer's neurons of one run. Its weights lie in memory only while it runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/aligned_array.hpp"
#include "substrate/readout.hpp"
#include "substrate/variation.hpp"
#include "substrate/weight_map.hpp"
#include "tessera/substrate.hpp"
#include "train/layer_runner.hpp"
#include "train/topology.hpp"
#include "train/weight_tiles.hpp"

namespace tessera::training {

/// Neurons begin .. end of a layer, which are neurons place .. of the part.
struct PartRange {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t place = 0;
  std::uint32_t circuit = 0;  ///< of the first of them on its chip
  std::uint32_t circuits = 1; ///< of each
};

/// What the circuits of a part make of a neuron, in units in which every neuron has the layer's threshold theta:
/// u' = f (v - leak), f = theta / (threshold of the neuron - leak).
struct PartNeurons {
  AlignedArray<float> alpha, second;  ///< padded, as kernels want them
  std::vector<float> factor;          ///< f
  std::vector<float> input;           ///< by which weights are multiplied: f (1 + gain)
  std::vector<float> rest;            ///< the leak, in units of the model
  std::vector<float> reading;         ///< what is read of it
  bool exact = true;                  ///< all factors are 1 and all leaks 0
};

/// The weights of a projection to the neurons of a part.
class PartWeights {
 public:
  PartWeights(const Projection& projection, const std::vector<PartRange>& ranges, std::uint32_t neurons);

  /// From the values of the array, each as the chip has it, times `input` of its target.
  void load(const ParameterArray& array, const substrate::WeightMap& map, float factor,
            const std::vector<float>& input, AlignedArray<float>& memory);
  /// current += what the listed sources bring in this step.
  void add(const std::uint16_t* ids, std::size_t n, std::uint32_t step, DelayRing& ring, float* current) const;
  [[nodiscard]] DelayRing make_ring() const;
  /// Sources that have a target in the part.
  [[nodiscard]] std::vector<bool> reached_by() const;
  /// Dense, neither pooled nor scaled.
  [[nodiscard]] bool is_plain() const {
    return dense() && projection_->pooled_index.empty() && projection_->scale == 1.0F;
  }
  [[nodiscard]] std::size_t values() const { return dense() ? rows_ * width_ : synapses_.size(); }

 private:
  struct Synapse {
    std::uint32_t place;  ///< in the array
    std::uint16_t target, delay;
  };
  [[nodiscard]] bool dense() const { return projection_->spec.kind == ConnectionKind::dense; }
  [[nodiscard]] bool scaled_later() const;
  void find_synapses(const ParameterArray& array);
  void load_dense(const ParameterArray& array, float* values) const;
  void add_pooled(const std::uint16_t* rows, std::size_t n, std::uint32_t step, float* into) const;

  const Projection* projection_;
  std::vector<PartRange> ranges_;
  std::uint32_t neurons_, width_, ring_steps_ = 1;
  std::size_t rows_;
  std::vector<std::uint32_t> first_;  ///< of the synapses of every pooled source
  std::vector<Synapse> synapses_;
  const float* values_ = nullptr;     ///< dense: [source][width]; else of every synapse
};

/// What one sample of a part leaves: who was listed, step by step, and whether it spiked.
/// Arrays only grow: entries 0 .. size count.
struct PartRecord {
  std::vector<std::uint32_t> first;   ///< of every step, and one more
  std::size_t size = 0;
  std::uint32_t last_spikes = 0;      ///< of the last step
  std::vector<std::uint16_t> neuron;  ///< of the part, ascending in a step
  std::vector<float> x;               ///< recorded membrane - threshold
  std::vector<std::uint8_t> spiked;
  void clear() {
    first.assign(1, 0);
    size = 0;
  }
  /// Room for a step of n entries more.
  void make_room(std::size_t n) {
    if (size + n <= neuron.size()) return;
    const std::size_t room = size + size / 2 + n + 256;
    neuron.resize(room);
    x.resize(room);
    spiked.resize(room);
  }
  [[nodiscard]] std::uint64_t bytes() const {
    return first.size() * sizeof(first[0]) + size * (sizeof(neuron[0]) + sizeof(x[0]) + sizeof(spiked[0]));
  }
};

/// State of the neurons of a part in one sample.
struct PartState {
  AlignedArray<float> u, second, current;
  AlignedArray<float> reading;  ///< readouts: what was last read
  AlignedArray<float> held;     ///< spiking neurons, where readings are rarer than steps: u' when they were last read
  AlignedArray<std::uint32_t> candidate_place;
  AlignedArray<float> candidate_x;
  Candidates candidates;
  DelayRing input_ring, recurrent_ring;
};

class SubstratePart {
 public:
  SubstratePart(const Layer& layer, const LayerTopology& topology, const PartitionRun& run, std::uint32_t number,
                std::vector<PartRange> ranges, const Substrate& substrate, double step_us);

  [[nodiscard]] const std::vector<PartRange>& ranges() const { return ranges_; }
  [[nodiscard]] std::uint32_t neurons() const { return neurons_; }
  [[nodiscard]] std::uint32_t run() const { return number_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const PartNeurons& circuits() const { return circuits_; }
  [[nodiscard]] PartWeights& weights() { return weights_; }
  [[nodiscard]] const PartWeights& weights() const { return weights_; }
  [[nodiscard]] const PartWeights& recurrent() const { return *recurrent_; }

  /// Neurons and weights as they are in this run. `memory`: for the weights, [input, recurrent].
  void load(const LayerRun& layer, substrate::RunNumber run, float factor, const substrate::WeightMap& input_map,
            const substrate::WeightMap& recurrent_map, AlignedArray<float>* memory);
  /// The neurons alone, with their decay factors.
  void load_neurons(const float* alpha, const float* second, substrate::RunNumber run);

  [[nodiscard]] PartState make_state() const;
  void begin(PartState& state) const;
  /// The input of one step.
  void add_input(const std::uint16_t* ids, std::size_t n, std::uint32_t step, PartState& state) const;
  void add_recurrent(const std::uint16_t* ids, std::size_t n, std::uint32_t step, PartState& state) const;
  /// A step of spiking neurons: appends to the record.
  void step(const Membrane& membrane, std::uint32_t step, bool gradients, substrate::NoiseWords* noise,
            PartState& state, PartRecord& record) const;
  /// A step of a readout: what is read of it.
  void readout(const Membrane& membrane, std::uint32_t step, substrate::NoiseWords* noise, PartState& state,
               float* trace_row) const;
  /// A step without spikes: raises `peak` to what is read of each neuron.
  void probe(const Membrane& membrane, PartState& state, std::vector<float>& peak) const;
  /// What is read of a neuron whose u' is `u`, from its rest.
  [[nodiscard]] float read(std::uint32_t neuron, float u) const;
  [[nodiscard]] bool noisy() const { return !membrane_noise_.empty(); }
  [[nodiscard]] const substrate::Readout& converter() const { return readout_; }

 private:
  void add_noise(substrate::NoiseWords& noise, PartState& state) const;
  void record_membranes(float threshold, bool stale, PartState& state, float* x) const;
  void read_listed(const std::uint32_t* place, std::uint32_t n, float threshold, float* x) const;
  void read_all(PartState& state) const;

  const Layer* layer_;
  const Substrate* substrate_;
  std::uint32_t number_, chip_, neurons_ = 0;
  std::vector<PartRange> ranges_;
  std::string name_;
  PartWeights weights_;
  std::optional<PartWeights> recurrent_;
  std::vector<substrate::CircuitPattern> pattern_;
  substrate::NoiseTable membrane_noise_;
  substrate::Readout readout_;
  PartNeurons circuits_;
  std::vector<float> bias_;
};

/// What the machine's converter tells of a layer's membranes, for steps of so many us of the chip.
[[nodiscard]] substrate::Readout readout_of(const MachineDescription::Readout& readout, double threshold,
                                            double step_us);
/// us of the chip in a step of the network.
[[nodiscard]] double chip_step_us(const Network& network, const MachineDescription& machine);
/// How the weights of a connection with this largest |weight| become whole.
[[nodiscard]] substrate::WeightMap weight_map_of(const Layer& layer, const MachineDescription::Weights& weights,
                                                 float largest);

}  // namespace tessera::training
