// Rows of weights in registers, and the sum of the rows in a list.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#if defined(TESSERA_ROWS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_ROWS_INL_HPP
#undef TESSERA_ROWS_INL_HPP
#else
#define TESSERA_ROWS_INL_HPP
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR  // one-lane targets use kernels/reference
HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Floats>;

// Up to eight vectors of a row stay in registers while a list is walked. A struct in a struct, not
// an array: compilers keep its parts in registers without being asked.
constexpr std::size_t kMostVectors = 8;

template <std::size_t kVectors>
struct Row {
  Row<kVectors - 1> head;
  Vector last;
};
template <>
struct Row<0> {};

HWY_INLINE std::size_t offset(std::size_t vector) { return vector * hn::Lanes(Floats()); }

HWY_INLINE void load(const float*, Row<0>&) {}
template <std::size_t n>
HWY_INLINE void load(const float* from, Row<n>& row) {
  load(from, row.head);
  row.last = hn::LoadU(Floats(), from + offset(n - 1));
}
HWY_INLINE void store(const Row<0>&, float*) {}
template <std::size_t n>
HWY_INLINE void store(const Row<n>& row, float* to) {
  store(row.head, to);
  hn::StoreU(row.last, Floats(), to + offset(n - 1));
}
HWY_INLINE void clear(Row<0>&) {}
template <std::size_t n>
HWY_INLINE void clear(Row<n>& row) {
  clear(row.head);
  row.last = hn::Zero(Floats());
}
HWY_INLINE void add(const float*, Row<0>&) {}
template <std::size_t n>
HWY_INLINE void add(const float* from, Row<n>& sum) {
  add(from, sum.head);
  sum.last = hn::Add(sum.last, hn::LoadU(Floats(), from + offset(n - 1)));
}
// Returns factor times `from`, summed over the vectors. kSum: `from` is also added to `sum`.
template <bool kSum, std::size_t n>
HWY_INLINE Vector multiply(const float* from, const Row<n>& factor, Row<n>& sum) {
  const Vector x = hn::LoadU(Floats(), from + offset(n - 1));
  if constexpr (kSum) sum.last = hn::Add(sum.last, x);
  if constexpr (n == 1) {
    return hn::Mul(x, factor.last);
  } else {
    return hn::MulAdd(x, factor.last, multiply<kSum>(from, factor.head, sum.head));
  }
}

// current[column ...] = base + sum of the listed rows; a base of null is zero.
template <std::size_t kVectors>
HWY_INLINE void sum_pass(const float* weights, std::size_t width, const std::uint16_t* ids,
                         std::size_t n, const float* base, float* current) {
  Row<kVectors> sum;
  if (base != nullptr) {
    load(base, sum);
  } else {
    clear(sum);
  }
  for (std::size_t k = 0; k < n; ++k) add(weights + ids[k] * width, sum);
  store(sum, current);
}

// Calls pass(number of vectors as a constant, first column) until the width is covered.
template <class Pass>
HWY_INLINE void each_pass(std::uint32_t width, const Pass& pass) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t column = 0;
  const auto cover = [&](auto vectors) {
    for (; column + vectors * lanes <= width; column += vectors * lanes) pass(vectors, column);
  };
  cover(std::integral_constant<std::size_t, kMostVectors>());
  cover(std::integral_constant<std::size_t, 6>());
  cover(std::integral_constant<std::size_t, 4>());
  cover(std::integral_constant<std::size_t, 3>());
  cover(std::integral_constant<std::size_t, 2>());
  cover(std::integral_constant<std::size_t, 1>());
}

HWY_INLINE void sum_listed(const float* weights, std::uint32_t width, const std::uint16_t* ids,
                           std::size_t n, const float* base, float* current) {
  const std::size_t most = offset(kMostVectors);  // usual, and cheaper with a constant stride
  if (width == most) return sum_pass<kMostVectors>(weights, most, ids, n, base, current);
  each_pass(width, [&](auto vectors, std::size_t column) HWY_ATTR {
    sum_pass<vectors>(weights + column, width, ids, n, base != nullptr ? base + column : nullptr,
                      current + column);
  });
}
}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif  // HWY_TARGET != HWY_SCALAR
#endif
