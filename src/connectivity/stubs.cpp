// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/stubs.hpp"

#include <cmath>
#include <utility>

namespace tessera {
namespace {

/// Four rounds leave no trace in pairs and triples of neighbours from some ten thousand stubs on, eight in a
/// thousand. (The tests look at both.)
constexpr std::uint32_t kManyStubs = 1u << 16, kVeryManyStubs = 1u << 20;

}  // namespace

Stubs::Stubs(std::uint32_t targets, std::uint32_t per_target, RandomKey key, std::uint32_t stream) {
  StubPermutation& p = permutation_;
  p.stubs = targets * per_target;
  p.per_target = per_target;
  RandomStream random(key, Purpose::permutation, 0xffffffffu, stream);
  if (p.stubs <= StubPermutation::kMostShuffled) {
    shuffled_.resize(p.stubs);
    for (std::uint32_t i = 0; i < p.stubs; ++i) {
      shuffled_[i] = static_cast<std::uint16_t>(i / per_target);
      std::swap(shuffled_[i], shuffled_[random.next_evenly_below(i + 1)]);
    }
    return;
  }
  p.columns = static_cast<std::uint32_t>(std::ceil(std::sqrt(static_cast<double>(p.stubs))));
  p.rows = (p.stubs - 1) / p.columns + 1;
  p.rounds = p.stubs < kManyStubs ? StubPermutation::kMostRounds : p.stubs < kVeryManyStubs ? 6 : 4;
  for (std::uint32_t& round_key : p.keys) round_key = random.next();
}

}  // namespace tessera
