// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/weight_rows.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/weight_rows.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/reference/training.hpp"
#include "kernels/rows-inl.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void add_rows(const float* weights, std::uint32_t width, const std::uint16_t* ids, std::size_t n,
              float* current) {
  reference::add_rows(weights, width, ids, n, current);
}
void row_gradients(const float* w, const float* g, std::uint32_t width, const RowVisits& visits,
                   Fresh fresh, float* dw, float* ds) {
  reference::row_gradients(w, g, width, visits, fresh, dw, ds);
}
void back_project(const float* weights, std::uint32_t width, const std::uint16_t* ids,
                  std::size_t n, const float* g, float* ds) {
  reference::back_project(weights, width, ids, n, g, ds);
}
#else

// ds[0 .. 4) (+)= the sums over the lanes of four vectors: transposed inside blocks of four lanes,
// then blocks are added, so that no vector is reduced alone.
template <class D>
HWY_INLINE void add_sums(D d, hn::Vec<D> a, hn::Vec<D> b, hn::Vec<D> c, hn::Vec<D> e, bool fresh,
                         float* ds) {
  const hn::RepartitionToWide<D> dw;
  const auto ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const auto ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto low = hn::InterleaveLower(dw, hn::BitCast(dw, ab), hn::BitCast(dw, ce));
  const auto high = hn::InterleaveUpper(dw, hn::BitCast(dw, ab), hn::BitCast(dw, ce));
  const auto all = hn::Add(hn::BitCast(d, low), hn::BitCast(d, high));
  const hn::FixedTag<float, 4> d4;
  const auto before = fresh ? hn::Zero(d4) : hn::LoadU(d4, ds);
  if constexpr (hn::MaxLanes(D()) == 16) {
    const hn::Half<D> d8;
    const auto half = hn::Add(hn::LowerHalf(d8, all), hn::UpperHalf(d8, all));
    const auto sum = hn::Add(hn::LowerHalf(d4, half), hn::UpperHalf(d4, half));
    hn::StoreU(hn::Add(before, sum), d4, ds);
  } else if constexpr (hn::MaxLanes(D()) == 8) {
    const auto sum = hn::Add(hn::LowerHalf(d4, all), hn::UpperHalf(d4, all));
    hn::StoreU(hn::Add(before, sum), d4, ds);
  } else {
    hn::StoreU(hn::Add(before, all), d4, ds);
  }
}

// Dots of n rows with `factor`, in fours; row_of(v) is the row of visit v. kSum: rows are also
// added to `sum`.
template <bool kSum, std::size_t kVectors, class RowOf>
HWY_INLINE void dots(const Row<kVectors>& factor, Row<kVectors>& sum, std::size_t n,
                     const RowOf& row_of, bool fresh, float* ds) {
  const Floats d;
  const auto dot = [&](std::size_t v) HWY_ATTR { return multiply<kSum>(row_of(v), factor, sum); };
  std::size_t v = 0;
  for (; v + 4 <= n; v += 4) {
    const Vector a = dot(v), b = dot(v + 1), c = dot(v + 2), e = dot(v + 3);
    add_sums(d, a, b, c, e, fresh, ds + v);
  }
  for (; v < n; ++v) ds[v] = (fresh ? 0.0f : ds[v]) + hn::GetLane(hn::SumOfLanes(d, dot(v)));
}

// One row; the visits are its own, and so is ds.
template <std::size_t kVectors>
HWY_INLINE void gradient_pass(const float* w, const float* g, std::size_t width,
                              const std::uint32_t* visit, std::size_t spikes, std::size_t all,
                              Fresh fresh, float* dw, float* ds) {
  Row<kVectors> weight, sum;
  if (fresh.dw) {
    clear(sum);
  } else {
    load(dw, sum);
  }
  const auto row_of = [&](std::size_t v) HWY_ATTR { return g + visit[v] * width; };
  if (ds == nullptr) {
    for (std::size_t v = 0; v < spikes; ++v) add(row_of(v), sum);
    return store(sum, dw);
  }
  load(w, weight);
  const auto other = [&](std::size_t v) HWY_ATTR { return g + visit[spikes + v] * width; };
  dots<true>(weight, sum, spikes, row_of, fresh.ds, ds);
  store(sum, dw);
  dots<false>(weight, sum, all - spikes, other, fresh.ds, ds + spikes);
}

template <std::size_t kVectors>
HWY_INLINE void project_pass(const float* weights, std::size_t width, const std::uint16_t* ids,
                             std::size_t n, const float* g, float* ds) {
  Row<kVectors> value;
  load(g, value);
  const auto row_of = [&](std::size_t k) HWY_ATTR { return weights + ids[k] * width; };
  dots<false>(value, value, n, row_of, false, ds);
}

void add_rows(const float* weights, std::uint32_t width, const std::uint16_t* ids, std::size_t n,
              float* current) {
  sum_listed(weights, width, ids, n, current, current);
}
void row_gradients(const float* w, const float* g, std::uint32_t width, const RowVisits& visits,
                   Fresh fresh, float* dw, float* ds) {
  const std::size_t most = offset(kMostVectors);
  for (std::uint32_t k = 0; k < visits.rows; ++k, w += width, dw += width) {
    const std::size_t begin = visits.first[k], all = visits.first[k + 1] - begin;
    if (all == 0 && !fresh.dw) continue;
    const std::uint32_t* visit = visits.visit + begin;
    float* row_ds = ds != nullptr ? ds + begin : nullptr;
    if (width == most) {  // usual, and cheaper with a constant stride
      gradient_pass<kMostVectors>(w, g, most, visit, visits.spikes[k], all, fresh, dw, row_ds);
      continue;
    }
    each_pass(width, [&](auto vectors, std::size_t column) HWY_ATTR {
      const Fresh now{fresh.dw, fresh.ds && column == 0};
      gradient_pass<vectors>(w + column, g + column, width, visit, visits.spikes[k], all, now,
                             dw + column, row_ds);
    });
  }
}
void back_project(const float* weights, std::uint32_t width, const std::uint16_t* ids,
                  std::size_t n, const float* g, float* ds) {
  const auto project = [&](const std::uint16_t* of, std::size_t sources, float* into) {
    each_pass(width, [&](auto vectors, std::size_t column) HWY_ATTR {
      project_pass<vectors>(weights + column, width, of, sources, g + column, into);
    });
  };
  const std::size_t whole = n / 4 * 4;
  if (whole > 0) project(ids, whole, ds);
  if (whole == n) return;
  // The last ones, too, are lanes of four: what a source gets does not depend on its place in the list.
  std::uint16_t last[4];
  float rest[4] = {};
  for (std::size_t k = 0; k < 4; ++k) last[k] = ids[std::min(whole + k, n - 1)];
  std::copy_n(ds + whole, n - whole, rest);
  project(last, 4, rest);
  std::copy_n(rest, n - whole, ds + whole);
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(add_rows);
HWY_EXPORT(row_gradients);
HWY_EXPORT(back_project);

void add_rows(const float* weights, std::uint32_t width, const std::uint16_t* ids, std::size_t n,
              float* current) {
  if (scalar_kernels_forced()) return reference::add_rows(weights, width, ids, n, current);
  HWY_DYNAMIC_DISPATCH(add_rows)(weights, width, ids, n, current);
}

void row_gradients(const float* w, const float* g, std::uint32_t width, const RowVisits& visits,
                   Fresh fresh, float* dw, float* ds) {
  if (scalar_kernels_forced()) return reference::row_gradients(w, g, width, visits, fresh, dw, ds);
  HWY_DYNAMIC_DISPATCH(row_gradients)(w, g, width, visits, fresh, dw, ds);
}

void back_project(const float* weights, std::uint32_t width, const std::uint16_t* ids,
                  std::size_t n, const float* g, float* ds) {
  if (scalar_kernels_forced()) return reference::back_project(weights, width, ids, n, g, ds);
  HWY_DYNAMIC_DISPATCH(back_project)(weights, width, ids, n, g, ds);
}

}  // namespace tessera
#endif  // HWY_ONCE
