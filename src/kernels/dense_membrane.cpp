// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/dense_membrane.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense_membrane.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/reference/dense_membrane.hpp"
#include "tessera/neuron_math-inl.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
std::uint32_t dense_step(const Membrane& m, const DenseStep& row, std::uint32_t neurons) {
  return reference::dense_membrane_step(m, row, neurons);
}
void dense_back(const Membrane& m, const DenseFlow& row, std::uint32_t neurons) {
  reference::dense_membrane_back(m, row, neurons);
}
void readout_forward(const float* alpha, float scale, const float* before_u, float* u,
                     std::uint32_t neurons) {
  reference::dense_readout_step(alpha, scale, before_u, u, neurons);
}
void readout_back(const float* alpha, float scale, const DenseFlow& row, std::uint32_t neurons) {
  reference::dense_readout_back(alpha, scale, row, neurons);
}
void expand(const std::uint8_t* bytes, std::size_t n, float* floats) {
  reference::expand_spikes(bytes, n, floats);
}
#else

using Floats = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Floats>;
using Bytes = hn::Rebind<std::uint8_t, Floats>;
using Counts = hn::RebindToUnsigned<Floats>;
using Integers = hn::RebindToSigned<Floats>;

// ds/du as a function of x = u - threshold (tessera/training.hpp has the table).
HWY_INLINE Vector slope_of(const Membrane& m, Vector x) {
  const Floats d;
  const Vector one = hn::Set(d, 1.0f);
  const Vector bx = hn::Mul(x, hn::Set(d, m.steepness));
  switch (m.slope) {
    case SlopeKind::superspike: {
      const Vector q = hn::Add(hn::Abs(bx), one);
      return hn::Div(one, hn::Mul(q, q));
    }
    case SlopeKind::arctan:
      return hn::Div(one, hn::Add(one, hn::Mul(bx, bx)));
    case SlopeKind::sigmoid: {
      const Vector q = hn::Div(one, hn::Add(one, exponential(d, hn::Neg(bx))));
      return hn::Mul(hn::Set(d, 4.0f), hn::Mul(q, hn::Sub(one, q)));
    }
    case SlopeKind::triangular:
      return hn::Max(hn::Zero(d), hn::Sub(one, hn::Abs(bx)));
    default:
      return hn::IfThenElseZero(hn::Lt(hn::Abs(bx), hn::Set(d, 0.5f)), one);
  }
}

// theta, or theta + beta a for a neuron that adapts.
template <MembraneKind kKind>
HWY_INLINE Vector level_of(const Membrane& m, Vector second) {
  const Floats d;
  const Vector threshold = hn::Set(d, m.threshold);
  if constexpr (kKind != MembraneKind::adaptive) return threshold;
  return hn::Add(threshold, hn::Mul(hn::Set(d, m.adaptation), second));
}

template <bool kToZero>
HWY_INLINE Vector after_reset(const Membrane& m, Vector u, hn::Mask<Floats> spiking) {
  if constexpr (kToZero) return hn::IfThenZeroElse(spiking, u);
  return hn::Sub(u, hn::IfThenElseZero(spiking, hn::Set(Floats(), m.threshold)));
}

HWY_INLINE void raise(float* sums, std::size_t j, Vector by) {
  const Floats d;
  hn::StoreU(hn::Add(hn::LoadU(d, sums + j), by), d, sums + j);
}

// u = alpha u + I / C, or with i = kappa i + I in the place of I; the reset of the step before
// comes first.
template <MembraneKind kKind, bool kToZero>
HWY_INLINE std::uint32_t step_kind(const Membrane& m, const DenseStep& row, std::uint32_t neurons) {
  const Floats d;
  const Counts dc;
  const Integers di;
  const std::size_t lanes = hn::Lanes(d);
  const Vector scale = hn::Set(d, m.inverse_capacitance), ratio = hn::Set(d, m.second_threshold);
  const Vector one = hn::Set(d, 1.0f);
  std::size_t listed = 0;
  for (std::size_t j = 0; j < neurons; j += lanes) {
    const Vector before = hn::LoadU(d, row.before_u + j);
    Vector input = hn::LoadU(d, row.u + j), before_second = hn::Zero(d), second = hn::Zero(d);
    if constexpr (kKind != MembraneKind::lif) before_second = hn::LoadU(d, row.before_second + j);
    const auto spiked = hn::Gt(before, level_of<kKind>(m, before_second));
    if constexpr (kKind != MembraneKind::lif) {
      const Vector kept = hn::Mul(hn::LoadU(d, m.second + j), before_second);
      second =
          hn::Add(kept, kKind == MembraneKind::synaptic ? input : hn::IfThenElseZero(spiked, one));
      hn::StoreU(second, d, row.second + j);
      if constexpr (kKind == MembraneKind::synaptic) input = second;
    }
    const Vector level = level_of<kKind>(m, second);
    const Vector u =
        hn::Add(hn::Mul(hn::LoadU(d, m.alpha + j), after_reset<kToZero>(m, before, spiked)),
                hn::Mul(input, scale));
    const auto spiking = hn::Gt(u, level);
    auto all = hn::Or(spiking, hn::Gt(u, hn::Mul(ratio, level)));
    if (j + lanes > neurons) all = hn::And(all, hn::FirstN(d, neurons - j));
    listed += hn::CountTrue(d, all);
    hn::StoreU(u, d, row.u + j);
    const auto unit = hn::IfThenElseZero(hn::RebindMask(di, spiking), hn::Set(di, 1));
    hn::StoreU(hn::DemoteTo(Bytes(), unit), Bytes(), row.spikes + j);
    if (row.float_spikes != nullptr)
      hn::StoreU(hn::IfThenElseZero(spiking, one), d, row.float_spikes + j);
    hn::StoreU(hn::Add(hn::LoadU(dc, row.counts + j), hn::BitCast(dc, unit)), dc, row.counts + j);
  }
  return static_cast<std::uint32_t>(listed);
}

template <MembraneKind kKind, bool kToZero>
HWY_INLINE void back_kind(const Membrane& m, const DenseFlow& row, std::uint32_t neurons) {
  const Floats d;
  const Vector scale = hn::Set(d, m.inverse_capacitance), ratio = hn::Set(d, m.second_threshold);
  for (std::size_t j = 0; j < neurons; j += hn::Lanes(d)) {
    Vector second = hn::Zero(d), gsecond = hn::Zero(d), decay = hn::Zero(d);
    if constexpr (kKind == MembraneKind::adaptive) second = hn::LoadU(d, row.second + j);
    if constexpr (kKind != MembraneKind::lif) {
      gsecond = hn::LoadU(d, row.gsecond + j);
      decay = hn::LoadU(d, m.second + j);
    }
    const Vector u = hn::LoadU(d, row.u + j), level = level_of<kKind>(m, second);
    const auto spiking = hn::Gt(u, level);
    const auto listed = hn::Or(spiking, hn::Gt(u, hn::Mul(ratio, level)));
    Vector ds = hn::LoadU(d, row.ds + j);
    if (row.regulariser != nullptr) ds = hn::Add(ds, hn::LoadU(d, row.regulariser + j));
    if constexpr (kKind == MembraneKind::adaptive)
      ds = hn::Add(ds, gsecond);  // a[t+1] = rho a[t] + s[t]
    const Vector du = hn::IfThenElseZero(listed, hn::Mul(ds, slope_of(m, hn::Sub(u, level))));
    Vector later = hn::LoadU(d, row.gu + j);
    if constexpr (kToZero) later = hn::IfThenZeroElse(spiking, later);
    const Vector gu = hn::Add(hn::Mul(hn::LoadU(d, m.alpha + j), later), du);
    hn::StoreU(gu, d, row.gu + j);
    Vector g = hn::Mul(gu, scale);
    if constexpr (kKind == MembraneKind::adaptive) {
      gsecond = hn::Sub(hn::Mul(decay, gsecond), hn::Mul(hn::Set(d, m.adaptation), du));
    }
    if constexpr (kKind == MembraneKind::synaptic)
      g = gsecond = hn::Add(hn::Mul(decay, gsecond), g);
    if constexpr (kKind != MembraneKind::lif) hn::StoreU(gsecond, d, row.gsecond + j);
    if (row.bias_sum != nullptr) raise(row.bias_sum, j, g);
    if (row.alpha_sum != nullptr) {
      const Vector before = hn::LoadU(d, row.before_u + j);
      Vector before_second = hn::Zero(d);
      if constexpr (kKind == MembraneKind::adaptive)
        before_second = hn::LoadU(d, row.before_second + j);
      const auto spiked = hn::Gt(before, level_of<kKind>(m, before_second));
      raise(row.alpha_sum, j, hn::Mul(gu, after_reset<kToZero>(m, before, spiked)));
    }
    if constexpr (kKind != MembraneKind::lif) {
      if (row.decay_sum != nullptr) {
        raise(row.decay_sum, j, hn::Mul(gsecond, hn::LoadU(d, row.before_second + j)));
      }
    }
    hn::StoreU(g, d, row.u + j);
  }
}

// run(kind, to zero) with both as constants.
template <class Run>
HWY_INLINE auto with_constants(const Membrane& m, const Run& run) {
  const auto with_reset = [&](auto kind) HWY_ATTR {
    return m.reset_to_zero ? run(kind, std::true_type()) : run(kind, std::false_type());
  };
  switch (m.kind) {
    case MembraneKind::adaptive:
      return with_reset(std::integral_constant<MembraneKind, MembraneKind::adaptive>());
    case MembraneKind::synaptic:
      return with_reset(std::integral_constant<MembraneKind, MembraneKind::synaptic>());
    default:
      return with_reset(std::integral_constant<MembraneKind, MembraneKind::lif>());
  }
}

std::uint32_t dense_step(const Membrane& m, const DenseStep& row, std::uint32_t neurons) {
  return with_constants(m, [&](auto kind, auto to_zero)
                               HWY_ATTR { return step_kind<kind, to_zero>(m, row, neurons); });
}

void dense_back(const Membrane& m, const DenseFlow& row, std::uint32_t neurons) {
  with_constants(
      m, [&](auto kind, auto to_zero) HWY_ATTR { back_kind<kind, to_zero>(m, row, neurons); });
}

void readout_forward(const float* alpha, float scale, const float* before_u, float* u,
                     std::uint32_t neurons) {
  const Floats d;
  for (std::size_t j = 0; j < neurons; j += hn::Lanes(d)) {
    const Vector kept = hn::Mul(hn::LoadU(d, alpha + j), hn::LoadU(d, before_u + j));
    hn::StoreU(hn::Add(kept, hn::Mul(hn::LoadU(d, u + j), hn::Set(d, scale))), d, u + j);
  }
}

void readout_back(const float* alpha, float scale, const DenseFlow& row, std::uint32_t neurons) {
  const Floats d;
  for (std::size_t j = 0; j < neurons; j += hn::Lanes(d)) {
    const Vector gu = hn::Add(hn::Mul(hn::LoadU(d, alpha + j), hn::LoadU(d, row.gu + j)),
                              hn::LoadU(d, row.ds + j));
    const Vector g = hn::Mul(gu, hn::Set(d, scale));
    hn::StoreU(gu, d, row.gu + j);
    if (row.bias_sum != nullptr) raise(row.bias_sum, j, g);
    if (row.alpha_sum != nullptr)
      raise(row.alpha_sum, j, hn::Mul(gu, hn::LoadU(d, row.before_u + j)));
    hn::StoreU(g, d, row.u + j);
  }
}

void expand(const std::uint8_t* bytes, std::size_t n, float* floats) {
  const Floats d;
  const Integers di;
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) {
    hn::StoreU(hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(Bytes(), bytes + k))), d, floats + k);
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(dense_step);
HWY_EXPORT(dense_back);
HWY_EXPORT(readout_forward);
HWY_EXPORT(readout_back);
HWY_EXPORT(expand);

std::uint32_t dense_membrane_step(const Membrane& membrane, const DenseStep& row,
                                  std::uint32_t neurons) {
  if (scalar_kernels_forced()) return reference::dense_membrane_step(membrane, row, neurons);
  return HWY_DYNAMIC_DISPATCH(dense_step)(membrane, row, neurons);
}

void dense_membrane_back(const Membrane& membrane, const DenseFlow& row, std::uint32_t neurons) {
  if (scalar_kernels_forced()) return reference::dense_membrane_back(membrane, row, neurons);
  HWY_DYNAMIC_DISPATCH(dense_back)(membrane, row, neurons);
}

void dense_readout_step(const float* alpha, float inverse_capacitance, const float* before_u,
                        float* u, std::uint32_t neurons) {
  if (scalar_kernels_forced()) {
    return reference::dense_readout_step(alpha, inverse_capacitance, before_u, u, neurons);
  }
  HWY_DYNAMIC_DISPATCH(readout_forward)(alpha, inverse_capacitance, before_u, u, neurons);
}

void dense_readout_back(const float* alpha, float inverse_capacitance, const DenseFlow& row,
                        std::uint32_t neurons) {
  if (scalar_kernels_forced())
    return reference::dense_readout_back(alpha, inverse_capacitance, row, neurons);
  HWY_DYNAMIC_DISPATCH(readout_back)(alpha, inverse_capacitance, row, neurons);
}

void expand_spikes(const std::uint8_t* bytes, std::size_t n, float* floats) {
  if (scalar_kernels_forced()) return reference::expand_spikes(bytes, n, floats);
  HWY_DYNAMIC_DISPATCH(expand)(bytes, n, floats);
}

}  // namespace tessera
#endif  // HWY_ONCE
