// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/tile_run.hpp"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tile_run.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/membrane-inl.hpp"
#include "kernels/reference/training.hpp"
#include "kernels/rows-inl.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void run(const TileRun& r, const RunEnd& spikes, const RunEnd& others, StepCounts* counts) {
  reference::run_tile(r, spikes, others, counts);
}
#else

// n entries of step t; a whole chunk is written at least.
HWY_INLINE void mark(std::uint16_t* to, std::uint32_t n, std::uint32_t t) {
  const hn::CappedTag<std::uint16_t, 16> d;
  const auto step = hn::Set(d, static_cast<std::uint16_t>(t));
  std::size_t k = 0;
  do {
    hn::StoreU(step, d, to + k);
    k += hn::Lanes(d);
  } while (k < n);
}

HWY_INLINE ListEnd behind(const ListEnd& end, std::size_t n) {
  const auto at = [n](float* array) { return array != nullptr ? array + n : nullptr; };
  return {end.id != nullptr ? end.id + n : nullptr, at(end.slope), at(end.by_alpha),
          at(end.by_second)};
}

void run(const TileRun& r, const RunEnd& spikes, const RunEnd& others, StepCounts* counts) {
  const Floats d;
  Candidates candidates = r.candidates;
  std::size_t spike_at = 0, other_at = 0;
  for (std::uint32_t t = 0; t < r.steps; ++t) {
    for (std::size_t j = 0; j < r.width; j += hn::Lanes(d)) {
      hn::StoreU(r.bias != nullptr ? hn::LoadU(d, r.bias + j) : hn::Zero(d), d, r.current + j);
    }
    add_listed(r.weights, r.width, r.ids + r.first[t], r.first[t + 1] - r.first[t], r.current);
    candidates.count = 0;
    step_neurons(*r.membrane, r.state, r.current, r.neurons, r.first_id, r.gradients, candidates);
    const std::uint32_t n = deal(*r.membrane, candidates, behind(spikes.list, spike_at),
                                 r.gradients ? behind(others.list, other_at) : ListEnd{});
    mark(spikes.step + spike_at, n, r.first_step + t);
    spike_at += n;
    const std::uint32_t rest = r.gradients ? candidates.count - n : 0;
    if (r.gradients) mark(others.step + other_at, rest, r.first_step + t);
    other_at += rest;
    counts[t] = {static_cast<std::uint16_t>(n), static_cast<std::uint16_t>(rest)};
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(run);

void run_tile(const TileRun& r, const RunEnd& spikes, const RunEnd& others, StepCounts* counts) {
  if (scalar_kernels_forced()) return reference::run_tile(r, spikes, others, counts);
  HWY_DYNAMIC_DISPATCH(run)(r, spikes, others, counts);
}

}  // namespace tessera
#endif  // HWY_ONCE
