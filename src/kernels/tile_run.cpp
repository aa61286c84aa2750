// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/tile_run.hpp"

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
void run(const TileRun& r, Candidates& candidates, StepCounts* counts) {
  reference::run_tile(r, candidates, counts);
}
#else
template <MembraneKind kKind, Listing kListing>
HWY_INLINE void run_steps(const TileRun r, Candidates& candidates, StepCounts* counts) {
  const Membrane membrane = *r.membrane;
  Candidates end = candidates;
  for (std::uint32_t t = 0; t < r.steps; ++t) {
    sum_listed(r.weights, r.width, r.ids + r.first[t], r.first[t + 1] - r.first[t], r.bias,
               r.current);
    const Candidates before = end;
    step_kind<kKind, kListing>(membrane, r.state, r.current, r.neurons,
                               Candidates::place_of(r.first_step + t, r.first_id), end);
    counts[t] = StepCounts::between(before, end);
  }
  candidates = end;
}

void run(const TileRun& r, Candidates& candidates, StepCounts* counts) {
  with_kind(*r.membrane, r.state, r.gradients, [&](auto kind, auto listing) HWY_ATTR {
    run_steps<kind, listing>(r, candidates, counts);
  });
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(run);

void run_tile(const TileRun& r, Candidates& candidates, StepCounts* counts) {
  if (scalar_kernels_forced()) return reference::run_tile(r, candidates, counts);
  HWY_DYNAMIC_DISPATCH(run)(r, candidates, counts);
}

}  // namespace tessera
#endif  // HWY_ONCE
