// One layer of the dense engine: matrix products over blocks of (sample, step) rows, and the
// neurons' steps over a block while it is in the cache.
//
// Row q = sample * steps + step of every matrix over time. Stored over time is what the backward
// pass cannot do without: u (four bytes a neuron; the backward pass replaces it, row by row, by d
// loss / d I), spikes (one byte), and the second state variable of adaptive neurons, or of synaptic
// ones whose decay is trained. Spikes are expanded to the floats that a product wants block by
// block.
//
// Feed-forward layers run by groups of samples. Recurrent layers need the last step's spikes of all
// neurons: they run step by step, by blocks of neurons over all samples. How the work is cut
// depends on the network and the batch alone, so the results do not depend on the number of
// workers.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/dense_membrane.hpp"
#include "train/crew.hpp"
#include "train/dense_weights.hpp"
#include "train/layer_membrane.hpp"

namespace tessera::training {

/// Columns of a product that one job takes.
inline constexpr std::size_t kColumnsPerJob = 512;

/// How the rows of a batch are cut: groups of samples, and the steps of a group in blocks.
struct RowCut {
  std::uint32_t samples = 0, steps = 0;
  std::uint32_t group_samples = 1, groups = 0;
  std::uint32_t block_steps = 1, blocks = 0;  ///< more than one block only for groups of one sample

  static RowCut of(std::uint32_t samples, std::uint32_t steps);
  [[nodiscard]] Span samples_of(std::size_t group) const;
  [[nodiscard]] Span steps_of(std::size_t block) const;
  /// Consecutive rows.
  [[nodiscard]] Span rows_of(std::size_t group, std::size_t block) const;
  [[nodiscard]] std::size_t rows() const { return std::size_t{samples} * steps; }
};

/// How the neurons of a recurrent layer are cut for one step.
[[nodiscard]] EvenCut step_columns(std::size_t stride);

/// 0 or 1 for every neuron of every row.
struct SpikeMatrix {
  std::uint32_t neurons = 0;
  std::size_t stride = 0;
  AlignedArray<std::uint8_t> spike;
};

/// Makes room for n values; what was there is lost when the array grows.
template <class T>
void make_room(AlignedArray<T>& array, std::size_t n) {
  if (array.size() < n) array = AlignedArray<T>(n);
}

/// Of one worker, shared by the layers.
struct DenseScratch {
  AlignedArray<float> x;       ///< expanded spikes of a block
  AlignedArray<float> ds;      ///< d loss / d s of a block
  AlignedArray<float> pooled;  ///< the same of the pooled spikes
};

class DenseLayer {
 public:
  DenseLayer(const Layer& layer, const LayerTopology& topology);

  /// Arrays in the order of Trainer::parameters().
  [[nodiscard]] std::vector<ParameterArray*> arrays();
  /// To be called when the values of arrays() changed: decay factors follow their logits.
  void parameters_changed();

  [[nodiscard]] bool is_readout() const { return layer_.neuron == NeuronKind::readout; }
  [[nodiscard]] std::size_t stride() const { return stride_; }
  [[nodiscard]] const SpikeMatrix& spikes() const { return spikes_; }
  /// u before resets; after backward() d loss / d I.
  [[nodiscard]] const float* rows() const { return u_.data(); }
  [[nodiscard]] LayerActivity activity() const;
  /// Of every neuron, in the last run.
  [[nodiscard]] const std::vector<std::uint32_t>& spike_counts() const { return count_; }
  [[nodiscard]] std::uint64_t bytes_over_time() const;

  // Called by all workers.
  void forward(Worker& worker, const RowCut& cut, const SpikeMatrix& below, double theta_grad,
               bool gradients, std::vector<DenseScratch>& scratch);
  /// `above`: the layer that this one feeds, its backward() done, or null: then `derivative` is d
  /// loss / d trace, [sample][step][neuron, padded]. The rows become d loss / d I.
  void backward(Worker& worker, const DenseLayer* above, const float* derivative,
                std::vector<DenseScratch>& scratch);
  /// Gradients of all arrays, from the rows that backward() left.
  void finish_gradients(Worker& worker, const SpikeMatrix& below,
                        std::vector<DenseScratch>& scratch);

 private:
  [[nodiscard]] Membrane membrane(std::size_t column) const;
  [[nodiscard]] bool keeps_second() const;  ///< over time
  [[nodiscard]] bool pools() const { return !topology_.input.pooled_index.empty(); }
  void prepare_forward(int workers);
  void pool(Span rows, const SpikeMatrix& below);
  [[nodiscard]] MatrixIn sources(Span rows, Span columns, const SpikeMatrix& below,
                                 DenseScratch& scratch) const;
  [[nodiscard]] MatrixIn own_sources(Span rows, Span columns, DenseScratch& scratch) const;
  void currents(std::size_t group, Span rows, const SpikeMatrix& below, DenseScratch& scratch,
                int worker);
  void step(std::size_t sample, std::size_t t, Span columns, int worker);
  void forward_steps(Worker& worker);
  void count_spikes();

  void prepare_backward();
  void source_flow(Span rows, Span columns, MatrixOut out, DenseScratch& scratch) const;
  void flow_from_above(Span rows, Span columns, const DenseLayer* above, const float* derivative,
                       MatrixOut out, DenseScratch& scratch) const;
  void back(std::size_t sample, std::size_t t, Span columns, const float* ds);
  void backward_group(std::size_t group, const DenseLayer* above, const float* derivative,
                      DenseScratch& scratch);
  void backward_steps(Worker& worker);
  void weight_gradients(DenseWeights& weights, const SpikeMatrix* below, Span rows, Span columns,
                        DenseScratch& scratch) const;
  void finish_sums();

  Layer layer_;
  LayerTopology topology_;
  std::uint32_t neurons_;
  std::size_t stride_;
  DenseWeights input_;
  std::optional<DenseWeights> recurrent_;
  std::optional<ParameterArray> bias_;
  DecayFactor membrane_;
  std::optional<DecayFactor> second_decay_;  ///< synapse or adaptation
  AlignedArray<float> zeros_;                ///< the row before the first

  // Of the last batch. Rows are [sample][step], each of stride_ floats.
  RowCut cut_;
  double theta_grad_ = 0.0;
  bool gradients_ = false;
  SpikeMatrix spikes_;
  AlignedArray<float> u_, second_;
  /// Pooled spikes of the layer below times their scale, rows of its own.
  AlignedArray<float> pooled_;
  AlignedArray<float> ds_;            ///< recurrent: d loss / d s of all rows
  AlignedArray<float> current_;       ///< synaptic current where it is not kept over time, [sample]
  AlignedArray<float> last_spikes_;   ///< recurrent: of two steps, [step % 2][sample]
  AlignedArray<float> gu_, gsecond_;  ///< [sample], from step to step
  AlignedArray<float> regulariser_;
  /// [group of samples]; recurrent: one group.
  AlignedArray<float> bias_sums_, alpha_sums_, decay_sums_;
  std::vector<AlignedArray<std::uint32_t>> counts_;  ///< spikes of every neuron, by worker
  std::vector<std::uint64_t> listed_;                ///< by worker
  std::vector<std::uint32_t> count_;                 ///< of all workers
};

}  // namespace tessera::training
