// One layer of the sparse engine: forward with lists of who spiked or nearly did, backward over
// these lists. Nothing dense is kept over time: membranes live for a step, gradients g for a block
// of steps of a tile.
//
// Four orders of the loops, chosen by the connections:
//   tiles        feed-forward dense or sparse: a tile runs through all samples and steps while
//                its weights stay in the cache
//   samples      recurrent: a sample runs through all steps; in a step all tiles, which need the
//                last step's spikes of each other
//   steps        recurrent, tiles on several ranks: all samples take a step before the next one, so that
//                ranks meet once for a step, not for a step of a sample
//   convolution  not recurrent: a sample runs through all steps, the layer is one tile
//
// Sums over samples are taken in an order that does not depend on the number of workers: rows of
// weights are owned by one job at a time, and everything else is summed per group of samples, then
// over groups.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/membrane.hpp"
#include "train/convolution.hpp"
#include "train/crew.hpp"
#include "train/layer_membrane.hpp"
#include "train/layer_runner.hpp"
#include "train/parameters.hpp"
#include "train/spike_lists.hpp"
#include "train/tile_exchange.hpp"
#include "train/visit_block.hpp"
#include "train/weight_tiles.hpp"

namespace tessera::training {

class SparseLayer {
 public:
  /// The topology must outlive the layer. `exchange`: with the ranks that own the other tiles; null: alone.
  SparseLayer(const Layer& layer, const LayerTopology& topology, TileExchange* exchange = nullptr);

  /// Arrays in the order of Trainer::parameters().
  [[nodiscard]] std::vector<ParameterArray*> arrays();
  /// To be called when the values of arrays() changed: decay factors follow their logits.
  void parameters_changed();

  [[nodiscard]] bool is_readout() const { return layer_.neuron == NeuronKind::readout; }
  [[nodiscard]] const SpikeLists& lists() const { return lists_; }
  [[nodiscard]] SpikeLists& lists() { return lists_; }
  [[nodiscard]] LayerActivity activity() const;
  /// Of every neuron, in the last run.
  [[nodiscard]] const std::vector<std::uint32_t>& spike_counts() const { return counts_; }
  /// Readout: u, [sample][step][stride()].
  [[nodiscard]] const float* trace() const { return trace_.data(); }
  [[nodiscard]] std::uint32_t stride() const { return tiles_ * width_; }

  /// Who runs the neurons forward instead of the layer; it must outlive the last forward().
  void set_runner(LayerRunner* runner) { runner_ = runner; }
  /// The constants of all neurons, with their decay factors.
  [[nodiscard]] Membrane constants() const { return make_membrane(0); }

  // Called by all workers.
  void forward(Worker& worker, const SpikeLists& input, double theta_grad, bool gradients);
  /// `derivative`: d loss / d trace of the output layer, [sample][step][neuron, padded], else null.
  /// `sources`: gradients also flow back to the entries of the input (their ds).
  /// `visits`: memory that all layers use in turn. `below`: whose tiles made the input, where it was a layer.
  void backward(Worker& worker, SpikeLists& input, const float* derivative, bool sources,
                std::vector<VisitBlock>& visits, const LayerShare* below = nullptr);
  [[nodiscard]] const LayerShare& share() const { return share_; }

  // Learning without back-propagation: ds of the own lists comes from outside, before backward().
  /// No gradient flows through the recurrent connection, and entries reach the synapses `lag` (0 or 1) steps late.
  /// `adaptation`: factor of the strength of the adaptation in gradients.
  void learn_locally(std::uint32_t lag, float adaptation) {
    local_ = true;
    lag_ = lag;
    adaptation_ = adaptation;
  }
  /// The weights of the input connection as [source][neuron]; 0 without a synapse.
  void input_matrix(std::vector<float>& matrix) const;
  [[nodiscard]] ParameterArray* bias() { return bias_ ? &*bias_ : nullptr; }

 private:
  enum class Order { tiles, samples, steps, convolution };
  void run_neurons(Worker& worker, const SpikeLists& input);
  void let_run(Worker& worker, const SpikeLists& input);
  struct Scratch;  // of one worker, forward
  struct Flow;     // of the backward pass
  struct Steps;    // of all samples in progress, where they take steps together

  [[nodiscard]] Membrane make_membrane(std::uint32_t tile) const;
  [[nodiscard]] std::uint32_t neurons_of(std::uint32_t tile) const;
  [[nodiscard]] std::uint32_t list_capacity() const;

  [[nodiscard]] std::uint32_t own_stride() const { return share_.own_tiles() * width_; }
  void make_state(std::size_t neurons, Scratch& scratch) const;
  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const;
  void run_tile(std::uint32_t tile, std::uint32_t part, const SpikeLists& input, Scratch& scratch);
  [[nodiscard]] TileRun plain_run(std::uint32_t tile, const SpikeLists& input,
                                  Scratch& scratch) const;
  void input_block(std::uint32_t sample, std::uint32_t begin, std::uint32_t end,
                   const SpikeLists& input, Scratch& scratch) const;
  void run_sample(std::uint32_t sample, const SpikeLists& input, Scratch& scratch);
  void run_steps(Worker& worker, const SpikeLists& input);
  void prepare_steps(const SpikeLists& input);
  void run_step(std::uint32_t tile, std::uint32_t sample, std::uint32_t step, const SpikeLists& input,
                Scratch& scratch);
  void run_readout(std::uint32_t tile, std::size_t list, const float* current, float* u);
  void input_current(std::uint32_t tile, std::size_t list, std::uint32_t step,
                     const SpikeLists& input, DelayRing* ring, float* current) const;
  void step(std::uint32_t tile, std::uint32_t t, const MembraneState& state, const float* current,
            Candidates& candidates) const;
  [[nodiscard]] static MembraneState state_at(std::size_t at, Scratch& scratch);

  [[nodiscard]] const float* derivative_row(std::size_t list) const;
  void prepare_flow(SpikeLists& input, const float* derivative, bool sources,
                    std::vector<VisitBlock>& visits, int workers);
  void output_ds();
  void prepare_front(std::size_t front);
  [[nodiscard]] VisitRange visit_range(std::uint32_t block, std::uint32_t section,
                                       bool sources) const;
  void build_visits(Worker& worker, const SpikeLists& input, bool sources);
  void backward_tiles(Worker& worker, bool sources);
  void backward_samples(Worker& worker, SpikeLists& input, bool sources);
  void backward_steps(Worker& worker, bool sources);
  void block_gradients(Worker& worker, std::uint32_t block, bool sources);
  void backward_convolution(Worker& worker, SpikeLists& input, bool sources);
  void convolution_step(std::vector<StepEntries>& entries, std::uint32_t sample, std::uint32_t step,
                        std::uint32_t group, SpikeLists& input, const float* row, bool sources);
  void flow_group(const Worker& worker, std::size_t front, std::uint32_t tile, std::uint32_t group,
                  std::uint32_t block);
  void flow_step(const Worker& worker, std::size_t front, std::uint32_t tile, std::uint32_t sample,
                 std::uint32_t step, std::uint32_t group, Recording& recording,
                 const StepEntries& entries, float* row);
  [[nodiscard]] float* bias_sum(std::uint32_t tile, std::uint32_t group);
  void inject(std::uint32_t tile, std::uint32_t group, const Stream& stream, std::uint32_t begin,
              std::uint32_t end, std::uint32_t first_step, float* rows, std::uint8_t* resets);
  void two_state_flow(std::uint32_t tile, std::uint32_t group, Recording& recording,
                      const StepEntries& entries, float* gu, float* second, float* row);
  void row_gradients_of(const float* g, std::uint32_t tile, std::uint32_t block,
                        std::uint32_t section, std::uint32_t begin, std::uint32_t end,
                        bool sources);
  void carry_row(float* rows, std::uint32_t block) const;
  void recurrent_sources(std::uint32_t sample, std::uint32_t step, std::uint32_t block_begin,
                         const StepEntries& entries, std::vector<float>& sums);
  void project_part(std::uint32_t part, std::uint32_t sample, std::uint32_t row, const std::uint16_t* ids, std::size_t n,
                    float* sums) const;
  void scatter_sources(Worker& worker, SpikeLists& input);
  void finish_gradients(Worker& worker);
  void sum_groups();
  void readout_decay_sums();

  Layer layer_;
  const LayerTopology& topology_;
  LayerShare share_;
  TileExchange* exchange_;
  LayerRunner* runner_ = nullptr;
  Order order_;
  std::uint32_t width_, tiles_;
  std::optional<WeightTiles> input_, recurrent_;
  std::optional<Convolution> convolution_;
  std::optional<ParameterArray> bias_;
  DecayFactor membrane_;
  std::optional<DecayFactor> second_;  ///< synapse or adaptation

  // Of the last batch.
  SpikeLists lists_;
  AlignedArray<float> trace_;
  std::vector<std::uint32_t> counts_;  ///< spikes of every neuron
  ListMerge merge_;
  std::vector<Membrane> tile_membranes_;
  double theta_grad_ = 0.0;
  bool gradients_ = false;
  bool local_ = false;
  std::uint32_t lag_ = 0;
  float adaptation_ = 1.0f;
  std::vector<std::unique_ptr<Scratch>> scratch_;
  std::unique_ptr<Flow> flow_;
  std::unique_ptr<Steps> steps_;

 public:
  ~SparseLayer();
  SparseLayer(SparseLayer&&) noexcept;
};

}  // namespace tessera::training
