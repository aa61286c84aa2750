// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "kernels/update.hpp"

namespace tessera::training {
namespace {

constexpr std::size_t kPiece = 1 << 15;  // floats

double square_sum(const float* x, std::size_t n) {
  double sum[8] = {};  // the order of the sum is that of the array, whoever computes it
  std::size_t k = 0;
  for (; k + 8 <= n; k += 8) {
    for (int l = 0; l < 8; ++l) sum[l] += static_cast<double>(x[k + l]) * x[k + l];
  }
  for (; k < n; ++k) sum[0] += static_cast<double>(x[k]) * x[k];
  double total = 0.0;
  for (const double s : sum) total += s;
  return total;
}

}  // namespace

double schedule_factor(const Optimizer& o, std::uint64_t batch, std::uint64_t batches,
                       std::uint64_t epoch_batches) {
  if (batch < o.warmup_batches) return (batch + 1.0) / (o.warmup_batches + 1.0);
  if (o.schedule == ScheduleKind::step) {
    return std::pow(o.step_factor, static_cast<double>(batch / epoch_batches / o.step_epochs));
  }
  if (o.schedule == ScheduleKind::cosine && batches > o.warmup_batches) {
    const double length = static_cast<double>(batches - o.warmup_batches);
    const double done = std::min(1.0, static_cast<double>(batch - o.warmup_batches) / length);
    const double fall = 0.5 * (1.0 + std::cos(std::numbers::pi * done));
    return o.final_fraction + (1.0 - o.final_fraction) * fall;
  }
  return 1.0;
}

namespace {

// Pieces never cross tiles: their sums are the same whoever has which tiles.
std::vector<std::size_t> bounds_of(const ParameterArray& array) {
  return array.layout.bounds.empty() ? std::vector<std::size_t>{0, array.layout.size} : array.layout.bounds;
}

}  // namespace

void Updater::attach(const std::vector<ParameterArray*>& arrays) {
  pieces_.clear();
  trained_.clear();
  for (ParameterArray* array : arrays) {
    if (!array->trainable) continue;
    if (array->first.size() == 0 && has_first()) {
      array->first = AlignedArray<float>(array->layout.size);
    }
    if (array->second.size() == 0 && has_second()) array->second = AlignedArray<float>(array->layout.size);
    trained_.push_back(array);
    const std::vector<std::size_t> bounds = bounds_of(*array);
    for (std::size_t k = 0; k + 1 < bounds.size(); ++k) {
      for (std::size_t begin = bounds[k]; begin < bounds[k + 1]; begin += kPiece) {
        pieces_.push_back({array, begin, std::min(begin + kPiece, bounds[k + 1])});
      }
    }
  }
  squares_.assign(pieces_.size(), 0.0);
}

void Updater::step(const Piece& piece, double rate) const {
  ParameterArray& a = *piece.array;
  const std::size_t n = piece.end - piece.begin, at = piece.begin;
  const double decay = a.decays ? optimizer_.weight_decay : 0.0;
  if (optimizer_.kind == OptimizerKind::adamw) {
    AdamwStep s;
    s.rate = static_cast<float>(rate);
    s.decay = static_cast<float>(decay);
    s.beta1 = static_cast<float>(optimizer_.beta1);
    s.beta2 = static_cast<float>(optimizer_.beta2);
    s.epsilon = static_cast<float>(optimizer_.epsilon);
    const auto batches = static_cast<double>(batches_);
    s.correction1 = static_cast<float>(1.0 - std::pow(optimizer_.beta1, batches));
    s.correction2 = static_cast<float>(1.0 - std::pow(optimizer_.beta2, batches));
    s.gradient_scale = static_cast<float>(gradient_scale_);
    adamw(s, n, a.value.data() + at, a.gradient.data() + at, a.first.data() + at,
          a.second.data() + at);
  } else {
    const SgdStep s{static_cast<float>(rate), static_cast<float>(decay),
                    static_cast<float>(optimizer_.momentum), static_cast<float>(gradient_scale_)};
    sgd(s, n, a.value.data() + at, a.gradient.data() + at,
        optimizer_.momentum > 0.0 ? a.first.data() + at : nullptr);
  }
}

std::vector<Updater::ArraySquares> Updater::array_squares() const {
  std::vector<ArraySquares> all;
  std::size_t k = 0;
  for (const ParameterArray* array : trained_) {
    all.push_back({array->name, {}});
    for (; k < pieces_.size() && pieces_[k].array == array; ++k) all.back().pieces.push_back(squares_[k]);
  }
  return all;
}

void Updater::clip(const std::vector<ArraySquares>& all) {
  double total = 0.0;
  for (const ArraySquares& array : all) {
    for (const double square : array.pieces) {
      total += square;
      if (std::isfinite(square)) continue;
      throw DivergedError(
          fmt::format(
              "The gradient of '{}' stopped being a finite number. Try a smaller learning rate "
              "or a longer warm-up.",
              array.name),
          array.name.substr(0, array.name.rfind('.')));
    }
  }
  const double norm = std::sqrt(total);
  if (norm > optimizer_.clip_norm) gradient_scale_ = optimizer_.clip_norm / norm;
}

void Updater::penalise(std::size_t piece) const {
  const Piece& p = pieces_[piece];
  if (p.array->store && p.array->store->l1() != 0.0F)
    p.array->store->add_l1(p.array->gradient.data(), p.begin, p.end);
  const float cubic = p.array->cubic;
  for (std::size_t i = p.begin; cubic != 0.0F && i < p.end; ++i) {
    const float w = p.array->value[i];
    p.array->gradient[i] += cubic * w * w * w;
  }
}

void Updater::measure(std::size_t piece) {
  const Piece& p = pieces_[piece];
  squares_[piece] = square_sum(p.array->gradient.data() + p.begin, p.end - p.begin);
}

void Updater::begin_step(const std::vector<ArraySquares>& all) {
  gradient_scale_ = 1.0;
  if (clips()) clip(all);
  ++batches_;
}

void Updater::update(Worker& worker, const std::vector<ParameterArray*>& arrays,
                     double rate_factor) {
  worker.once([&] {
    if (pieces_.empty()) attach(arrays);
  });
  if (clips()) {
    worker.each(pieces_.size(), [&](std::size_t k) {
      penalise(k);
      measure(k);
    });
  }
  worker.once([&] { begin_step(); });
  worker.each(pieces_.size(), [&](std::size_t k) {
    if (!clips()) penalise(k);
    update_piece(k, rate_factor);
  });
}

}  // namespace tessera::training
