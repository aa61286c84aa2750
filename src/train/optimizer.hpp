// The update of all parameters from their gradients.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/crew.hpp"
#include "train/parameter_array.hpp"

namespace tessera::training {

/// The factor of the learning rate for batch `batch` (from 0) of `batches` in all, `epoch_batches`
/// each.
[[nodiscard]] double schedule_factor(const Optimizer& optimizer, std::uint64_t batch,
                                     std::uint64_t batches, std::uint64_t epoch_batches);

class Updater {
 public:
  explicit Updater(const Optimizer& optimizer) : optimizer_(optimizer) {}

  /// Makes room for the optimiser's state.
  void attach(const std::vector<ParameterArray*>& arrays);
  /// Called by all workers, after the gradients are complete: one step of every trainable array.
  void update(Worker& worker, const std::vector<ParameterArray*>& arrays, double rate_factor);

  // The same in parts, for ranks that each update some of the pieces.
  struct Piece {
    ParameterArray* array;
    std::size_t begin, end;
  };
  [[nodiscard]] const std::vector<Piece>& pieces() const noexcept { return pieces_; }
  /// Whether trainable arrays have a state `first`, and `second`.
  [[nodiscard]] bool has_first() const noexcept { return has_second() || optimizer_.momentum > 0.0; }
  [[nodiscard]] bool has_second() const noexcept { return optimizer_.kind == OptimizerKind::adamw; }
  [[nodiscard]] bool clips() const noexcept { return optimizer_.clip_norm > 0.0; }
  /// Sums of squares of the gradients of pieces, which begin_step() wants of all of them.
  [[nodiscard]] std::vector<double>& squares() noexcept { return squares_; }
  void measure(std::size_t piece);
  /// What a piece's gradient gets before it is measured: a penalty of its weights.
  void penalise(std::size_t piece) const;
  /// The squares of an array, piece by piece, in whatever order all ranks agree on.
  struct ArraySquares {
    std::string name;
    std::vector<double> pieces;
  };
  [[nodiscard]] std::vector<ArraySquares> array_squares() const;
  /// Before the first piece of a batch is updated. Throws DivergedError, see clip(). `all`: squares() of all ranks.
  void begin_step() { begin_step(clips() ? array_squares() : std::vector<ArraySquares>{}); }
  void begin_step(const std::vector<ArraySquares>& all);
  void update_piece(std::size_t piece, double rate_factor) const {
    step(pieces_[piece], optimizer_.learning_rate * rate_factor);
  }

  [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }
  void set_batches(std::uint64_t batches) noexcept { batches_ = batches; }

 private:
  /// Throws DivergedError when the norm is not finite: nothing was updated then.
  void clip(const std::vector<ArraySquares>& all);
  void step(const Piece& piece, double rate) const;

  Optimizer optimizer_;
  std::uint64_t batches_ = 0;
  std::vector<ParameterArray*> trained_;
  std::vector<Piece> pieces_;  ///< of these arrays
  std::vector<double> squares_;  ///< of each piece's gradient
  double gradient_scale_ = 1.0;
};

}  // namespace tessera::training
