// One batch as slices on one or several ranks: every rank computes its slices, adds up and updates its share
// of the parameters, and all get the new values. The order of every sum depends on the slices alone.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "comm/agreement.hpp"
#include "train/engine.hpp"
#include "train/optimizer.hpp"
#include "train/slices.hpp"

namespace tessera::training {

class SlicedTraining {
 public:
  /// `like`: names of the layers and a number for every neuron, as a result has them.
  SlicedTraining(const Agreement& ranks, std::uint32_t slices, BatchResult like)
      : ranks_(ranks), slices_(slices), like_(std::move(like)) {}

  /// Forward, backward, update of a batch of `samples`. `batch`: all of them, or those of share(). Throws on
  /// all ranks what the lowest rank that failed has met.
  BatchResult train(Engine& engine, Crew& crew, Updater& updater, const SpikeBatch& batch, std::uint32_t samples,
                    double theta_grad, double rate_factor);
  /// The same of a process that computes all slices, or of ranks that compute all of them together: `update` has the
  /// gradient of the batch and is called by all workers.
  BatchResult train_all(Engine& engine, Crew& crew, Updater& updater, const SpikeBatch& batch, double theta_grad,
                        const std::function<void(Worker&)>& update);
  /// The samples of a batch that lie in this rank's slices.
  [[nodiscard]] SampleRange share(std::uint32_t samples) const;
  /// Every rank gets the optimiser's state of all, of which it kept its own share.
  void gather_state(const Updater& updater);
  /// The same for the gradients of the batch.
  void gather_gradients(const Updater& updater);
  /// Arrays have got another size.
  void arrays_resized() { resized_ = true; }

 private:
  struct Part;  // of a rank, for the result of the batch
  using Pieces = std::vector<Updater::Piece>;

  void prepare(const Pieces& pieces);
  /// `update`: of the gradient of the batch, where all slices are computed here; else none.
  void run_slices(Engine& engine, Crew& crew, Updater& updater, const SpikeBatch& batch, std::uint32_t samples,
                  SliceRange own, double theta_grad, const std::function<void(Worker&)>& update, Part& part);
  void keep(Worker& worker, const Pieces& pieces, float weight, std::size_t slot, std::size_t merges, bool root);
  [[nodiscard]] std::vector<Part> parts_of_ranks(const Part& own, const std::exception_ptr& failure);
  [[nodiscard]] static BatchResult combine(const std::vector<Part>& parts, std::uint32_t samples);
  struct Node;   // of the tree, of one rank
  struct Place;  // of the own share of a node's sums
  [[nodiscard]] std::vector<Node> nodes(std::uint32_t samples) const;
  void exchange_nodes(const Pieces& pieces, const std::vector<Node>& nodes);
  [[nodiscard]] std::vector<Place> places(const Pieces& pieces, const std::vector<Node>& nodes);
  void add_up(Crew& crew, Updater& updater, std::uint32_t samples);
  void update(Crew& crew, Updater& updater, double rate_factor);
  void gather_squares(Updater& updater);
  void gather_floats(const Pieces& pieces, AlignedArray<float> ParameterArray::* which);
  void gather_array(const Pieces& pieces, std::size_t begin, std::size_t end,
                    AlignedArray<float> ParameterArray::* which);

  /// First piece of the share of a rank.
  [[nodiscard]] std::size_t share_begin(int rank) const {
    return static_cast<std::size_t>(rank) * (place_.size() - 1) / static_cast<std::size_t>(ranks_.size());
  }
  /// Pieces begin .. end of array `a` (in the order of pieces) that are in the share of a rank.
  struct PieceRange {
    std::size_t begin = 0, end = 0;
    [[nodiscard]] bool empty() const { return begin >= end; }
  };
  [[nodiscard]] PieceRange share_of(int rank, std::size_t a) const {
    return {std::max(share_begin(rank), array_[a]), std::min(share_begin(rank + 1), array_[a + 1])};
  }

  Agreement ranks_;
  std::uint32_t slices_;
  BatchResult like_;
  bool resized_ = false;
  std::vector<std::size_t> place_;        ///< of every piece in a row of all, and the end
  std::vector<std::size_t> array_;        ///< first piece of every array, and the end
  std::vector<std::vector<float>> node_;  ///< own sums that wait for their other half
  std::vector<Gathered> received_;        ///< nodes of the others, of the own share, by node, then array
  Gathered gathered_;
  SpikeBatch slice_;
};

}  // namespace tessera::training
