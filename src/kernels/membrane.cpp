// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/membrane.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/membrane.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/reference/training.hpp"
#include "tessera/neuron_math-inl.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void step(const Membrane& m, const MembraneState& s, const float* current, std::uint32_t neurons,
          bool gradients, Listed& listed) {
  reference::membrane_step(m, s, current, neurons, gradients, listed);
}
void decay(const Membrane& m, std::uint32_t neurons, float* gu, float* second) {
  reference::membrane_decay(m, neurons, gu, second);
}
void output(const Membrane& m, std::uint32_t neurons, const float* gu, float* gi, float* out) {
  reference::membrane_output(m, neurons, gu, gi, out);
}
void readout(const float* alpha, float scale, const float* current, std::uint32_t neurons, float* u,
             float* trace) {
  reference::readout_step(alpha, scale, current, neurons, u, trace);
}
#else

using Floats = hn::CappedTag<float, 16>;
using Ids = hn::RebindToUnsigned<Floats>;
using Vector = hn::Vec<Floats>;
using Mask = hn::Mask<Floats>;

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

HWY_INLINE void append(ListPart& part, Mask mask, std::uint32_t first, Vector slope, Vector by_alpha,
                       Vector by_second, bool gradients) {
  const Floats d;
  const Ids di;
  const auto ids = hn::Add(hn::Iota(di, 0), hn::Set(di, first));
  const std::size_t n = hn::CompressStore(ids, hn::RebindMask(di, mask), di, part.id + part.count);
  if (gradients) {
    hn::CompressStore(slope, mask, d, part.slope + part.count);
    if (part.by_alpha != nullptr) hn::CompressStore(by_alpha, mask, d, part.by_alpha + part.count);
    if (part.by_second != nullptr) hn::CompressStore(by_second, mask, d, part.by_second + part.count);
  }
  part.count += static_cast<std::uint32_t>(n);
}

// u = alpha u + I / C, or with the current i = kappa i + I between them; u holds the reset already.
template <MembraneKind kKind, bool kSensitive>
HWY_INLINE void step_kind(const Membrane& m, const MembraneState& s, const float* current,
                          std::uint32_t neurons, bool gradients, Listed& listed) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const Vector threshold = hn::Set(d, m.threshold), scale = hn::Set(d, m.inverse_capacitance);
  const Vector ratio = hn::Set(d, m.second_threshold);
  const Vector one = hn::Set(d, 1.0f), zero = hn::Zero(d);
  for (std::size_t j = 0; j < neurons; j += lanes) {
    const Vector alpha = hn::LoadU(d, m.alpha + j);
    Vector input = hn::LoadU(d, current + j);
    Vector level = threshold, second = zero, decay = zero;
    Vector by_alpha = zero, by_second = zero, by_decay = zero;
    const Vector before = hn::LoadU(d, s.u + j);
    if constexpr (kKind != MembraneKind::lif) {
      second = hn::LoadU(d, s.second + j);
      decay = hn::LoadU(d, m.second + j);
    }
    if constexpr (kKind == MembraneKind::synaptic) {
      if (kSensitive && s.second_by_decay != nullptr) {
        by_decay = hn::Add(second, hn::Mul(decay, hn::LoadU(d, s.second_by_decay + j)));
        by_second = hn::Add(hn::Mul(alpha, hn::LoadU(d, s.u_by_kappa + j)), hn::Mul(by_decay, scale));
      }
      second = hn::Add(hn::Mul(decay, second), input);
      input = second;
    }
    if constexpr (kKind == MembraneKind::adaptive) {
      level = hn::Add(threshold, hn::Mul(hn::Set(d, m.adaptation), second));
      if (kSensitive && s.second_by_decay != nullptr) by_second = hn::LoadU(d, s.second_by_decay + j);
    }
    if (kSensitive && s.u_by_alpha != nullptr) {
      by_alpha = hn::Add(before, hn::Mul(alpha, hn::LoadU(d, s.u_by_alpha + j)));
    }
    const Vector u = hn::Add(hn::Mul(alpha, before), hn::Mul(input, scale));
    Mask spiking = hn::Gt(u, level);
    Mask all = hn::Or(spiking, hn::Gt(u, hn::Mul(ratio, level)));
    if (j + lanes > neurons) {
      const Mask real = hn::FirstN(d, neurons - j);
      spiking = hn::And(spiking, real);
      all = hn::And(all, real);
    }
    if (gradients ? !hn::AllFalse(d, all) : !hn::AllFalse(d, spiking)) {
      const Vector slope = gradients ? slope_of(m, hn::Sub(u, level)) : zero;
      const auto first = static_cast<std::uint32_t>(j);
      append(listed.spikes, spiking, first, slope, by_alpha, by_second, gradients);
      if (gradients) append(listed.others, hn::AndNot(spiking, all), first, slope, by_alpha, by_second, true);
    }
    const Vector after = m.reset_to_zero ? hn::IfThenZeroElse(spiking, u)
                                         : hn::Sub(u, hn::IfThenElseZero(spiking, threshold));
    hn::StoreU(after, d, s.u + j);
    if constexpr (kKind == MembraneKind::synaptic) hn::StoreU(second, d, s.second + j);
    if constexpr (kKind == MembraneKind::adaptive) {
      const Vector next = hn::Add(hn::Mul(decay, second), hn::IfThenElseZero(spiking, one));
      hn::StoreU(next, d, s.second + j);
    }
    if constexpr (kSensitive) {
      // A reset to zero also forgets how u came about.
      const auto kept = [&](Vector x) HWY_ATTR { return m.reset_to_zero ? hn::IfThenZeroElse(spiking, x) : x; };
      if (s.u_by_alpha != nullptr) hn::StoreU(kept(by_alpha), d, s.u_by_alpha + j);
      if (s.second_by_decay != nullptr && kKind == MembraneKind::synaptic) {
        hn::StoreU(by_decay, d, s.second_by_decay + j);
        hn::StoreU(kept(by_second), d, s.u_by_kappa + j);
      }
      if (s.second_by_decay != nullptr && kKind == MembraneKind::adaptive) {
        hn::StoreU(hn::Add(second, hn::Mul(decay, by_second)), d, s.second_by_decay + j);
      }
    }
  }
}

void step(const Membrane& m, const MembraneState& s, const float* current, std::uint32_t neurons,
          bool gradients, Listed& listed) {
  const bool sensitive = s.u_by_alpha != nullptr || s.second_by_decay != nullptr;
  const auto run = [&](auto kind) HWY_ATTR {
    if (sensitive) {
      step_kind<kind, true>(m, s, current, neurons, gradients, listed);
    } else {
      step_kind<kind, false>(m, s, current, neurons, gradients, listed);
    }
  };
  switch (m.kind) {
    case MembraneKind::lif:
      return run(std::integral_constant<MembraneKind, MembraneKind::lif>());
    case MembraneKind::adaptive:
      return run(std::integral_constant<MembraneKind, MembraneKind::adaptive>());
    case MembraneKind::synaptic:
      return run(std::integral_constant<MembraneKind, MembraneKind::synaptic>());
  }
}

void decay(const Membrane& m, std::uint32_t neurons, float* gu, float* second) {
  const Floats d;
  for (std::size_t j = 0; j < neurons; j += hn::Lanes(d)) {
    hn::StoreU(hn::Mul(hn::LoadU(d, m.alpha + j), hn::LoadU(d, gu + j)), d, gu + j);
    if (m.kind == MembraneKind::adaptive) {
      hn::StoreU(hn::Mul(hn::LoadU(d, m.second + j), hn::LoadU(d, second + j)), d, second + j);
    }
  }
}

void output(const Membrane& m, std::uint32_t neurons, const float* gu, float* gi, float* out) {
  const Floats d;
  for (std::size_t j = 0; j < neurons; j += hn::Lanes(d)) {
    Vector g = hn::LoadU(d, gu + j);
    if (m.kind == MembraneKind::synaptic) {
      g = hn::Add(hn::Mul(hn::LoadU(d, m.second + j), hn::LoadU(d, gi + j)),
                  hn::Mul(g, hn::Set(d, m.inverse_capacitance)));
      hn::StoreU(g, d, gi + j);
    }
    hn::StoreU(g, d, out + j);
  }
}

void readout(const float* alpha, float scale, const float* current, std::uint32_t neurons, float* u,
             float* trace) {
  const Floats d;
  for (std::size_t j = 0; j < neurons; j += hn::Lanes(d)) {
    const Vector value = hn::Add(hn::Mul(hn::LoadU(d, alpha + j), hn::LoadU(d, u + j)),
                                 hn::Mul(hn::LoadU(d, current + j), hn::Set(d, scale)));
    hn::StoreU(value, d, u + j);
    hn::StoreU(value, d, trace + j);
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera {
HWY_EXPORT(step);
HWY_EXPORT(decay);
HWY_EXPORT(output);
HWY_EXPORT(readout);

void membrane_step(const Membrane& membrane, const MembraneState& state, const float* current,
                   std::uint32_t neurons, bool gradients, Listed& listed) {
  if (scalar_kernels_forced()) {
    return reference::membrane_step(membrane, state, current, neurons, gradients, listed);
  }
  HWY_DYNAMIC_DISPATCH(step)(membrane, state, current, neurons, gradients, listed);
}

void membrane_decay(const Membrane& membrane, std::uint32_t neurons, float* gu, float* second) {
  if (scalar_kernels_forced()) return reference::membrane_decay(membrane, neurons, gu, second);
  HWY_DYNAMIC_DISPATCH(decay)(membrane, neurons, gu, second);
}

void membrane_output(const Membrane& membrane, std::uint32_t neurons, const float* gu, float* gi,
                     float* out) {
  if (scalar_kernels_forced()) return reference::membrane_output(membrane, neurons, gu, gi, out);
  HWY_DYNAMIC_DISPATCH(output)(membrane, neurons, gu, gi, out);
}

void readout_step(const float* alpha, float inverse_capacitance, const float* current,
                  std::uint32_t neurons, float* u, float* trace) {
  if (scalar_kernels_forced()) {
    return reference::readout_step(alpha, inverse_capacitance, current, neurons, u, trace);
  }
  HWY_DYNAMIC_DISPATCH(readout)(alpha, inverse_capacitance, current, neurons, u, trace);
}

}  // namespace tessera
#endif  // HWY_ONCE
