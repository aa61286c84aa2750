// A step of neurons in training, and the list of who spiked or nearly did.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#if defined(TESSERA_MEMBRANE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_MEMBRANE_INL_HPP
#undef TESSERA_MEMBRANE_INL_HPP
#else
#define TESSERA_MEMBRANE_INL_HPP
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "kernels/membrane.hpp"
#include "kernels/reference/training.hpp"
#include "kernels/rows-inl.hpp"

#if HWY_TARGET != HWY_SCALAR  // one-lane targets use kernels/reference
HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Ids = hn::RebindToUnsigned<Floats>;
using Mask = hn::Mask<Floats>;

// Whole vectors are written at the end of a list, which has room for one: no branch depends on how
// many neurons of a vector are listed.
HWY_INLINE void append(Mask chosen, Vector values, float* end) {
  const Floats d;
  if (end != nullptr) hn::StoreU(hn::Compress(values, chosen), d, end);
}
HWY_INLINE hn::Vec<Ids> chosen_ids(Mask chosen, hn::Vec<Ids> ids) {
  return hn::Compress(ids, hn::RebindMask(Ids(), chosen));
}

// u = alpha u + I / C, or with the current i = kappa i + I between them; u holds the reset already.
template <MembraneKind kKind, bool kSensitive>
HWY_INLINE void step_kind(const Membrane& m, const MembraneState& s, const float* current,
                          std::uint32_t neurons, std::uint32_t first_id, bool gradients,
                          Candidates& c) {
  const Floats d;
  const Ids du;
  const std::size_t lanes = hn::Lanes(d);
  const Vector threshold = hn::Set(d, m.threshold), scale = hn::Set(d, m.inverse_capacitance);
  const Vector ratio = hn::Set(d, m.second_threshold);
  const Vector one = hn::Set(d, 1.0f), zero = hn::Zero(d);
  hn::Vec<Ids> ids = hn::Add(hn::Iota(du, 0), hn::Set(du, first_id));
  std::uint32_t count = c.count;
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
        by_second =
            hn::Add(hn::Mul(alpha, hn::LoadU(d, s.u_by_kappa + j)), hn::Mul(by_decay, scale));
      }
      second = hn::Add(hn::Mul(decay, second), input);
      input = second;
    }
    if constexpr (kKind == MembraneKind::adaptive) {
      level = hn::Add(threshold, hn::Mul(hn::Set(d, m.adaptation), second));
      if (kSensitive && s.second_by_decay != nullptr)
        by_second = hn::LoadU(d, s.second_by_decay + j);
    }
    if (kSensitive && s.u_by_alpha != nullptr) {
      by_alpha = hn::Add(before, hn::Mul(alpha, hn::LoadU(d, s.u_by_alpha + j)));
    }
    const Vector u = hn::Add(hn::Mul(alpha, before), hn::Mul(input, scale));
    const Vector x = hn::Sub(u, level);
    Mask spiking = hn::Gt(x, zero);
    Mask listed = gradients ? hn::Or(spiking, hn::Gt(u, hn::Mul(ratio, level))) : spiking;
    if (j + lanes > neurons) {
      const Mask real = hn::FirstN(d, neurons - j);
      spiking = hn::And(spiking, real);
      listed = hn::And(listed, real);
    }
    hn::StoreU(chosen_ids(listed, ids), du, c.id + count);
    append(listed, x, c.x + count);
    if (kSensitive && c.by_alpha != nullptr) append(listed, by_alpha, c.by_alpha + count);
    if (kSensitive && c.by_second != nullptr) append(listed, by_second, c.by_second + count);
    count += static_cast<std::uint32_t>(hn::CountTrue(d, listed));
    ids = hn::Add(ids, hn::Set(du, static_cast<std::uint32_t>(lanes)));

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
      const auto kept = [&](Vector by) HWY_ATTR {
        return m.reset_to_zero ? hn::IfThenZeroElse(spiking, by) : by;
      };
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
  c.count = count;
}

HWY_INLINE void step_neurons(const Membrane& m, const MembraneState& s, const float* current,
                             std::uint32_t neurons, std::uint32_t first_id, bool gradients,
                             Candidates& candidates) {
  const bool sensitive = s.u_by_alpha != nullptr || s.second_by_decay != nullptr;
  const auto run = [&](auto kind) HWY_ATTR {
    if (sensitive) {
      step_kind<kind, true>(m, s, current, neurons, first_id, gradients, candidates);
    } else {
      step_kind<kind, false>(m, s, current, neurons, first_id, gradients, candidates);
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

// reference::slope_of of a vector.
HWY_INLINE Vector slopes(const Membrane& m, Vector x) {
  const Floats d;
  const Vector one = hn::Set(d, 1.0f), bx = hn::Mul(hn::Set(d, m.steepness), x);
  const Vector size = hn::Abs(bx), more = hn::Add(size, one);
  switch (m.slope) {
    case SlopeKind::superspike:
      return hn::Div(one, hn::Mul(more, more));
    case SlopeKind::arctan:
      return hn::Div(one, hn::Add(one, hn::Mul(bx, bx)));
    case SlopeKind::triangular:
      return hn::Max(hn::Zero(d), hn::Sub(one, size));
    case SlopeKind::boxcar:
      return hn::IfThenElseZero(hn::Lt(size, hn::Set(d, 0.5f)), one);
    case SlopeKind::sigmoid:
      break;
  }
  HWY_ALIGN float each[16];
  hn::Store(x, d, each);
  for (std::size_t k = 0; k < hn::Lanes(d); ++k) each[k] = reference::slope_of(m, each[k]);
  return hn::Load(d, each);
}

HWY_INLINE std::uint32_t deal(const Membrane& m, const Candidates& c, const ListEnd& spikes,
                              const ListEnd& others) {
  const Floats d;
  const Ids du;
  const hn::Rebind<std::int32_t, Floats> di;
  const hn::Rebind<std::uint16_t, Floats> d16;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t counts[2] = {0, 0};
  for (std::size_t k = 0; k < c.count; k += lanes) {
    const Vector x = hn::LoadU(d, c.x + k);
    const hn::Vec<Ids> ids = hn::LoadU(du, c.id + k);
    const Mask real = hn::FirstN(d, c.count - k), positive = hn::Gt(x, hn::Zero(d));
    const Vector slope = spikes.slope != nullptr ? slopes(m, x) : x;
    const auto to = [&](Mask mask, const ListEnd& end, std::size_t& n) HWY_ATTR {
      const auto narrow = hn::DemoteTo(d16, hn::BitCast(di, chosen_ids(mask, ids)));
      hn::StoreU(narrow, d16, end.id + n);
      if (end.slope != nullptr) append(mask, slope, end.slope + n);
      if (end.by_alpha != nullptr) append(mask, hn::LoadU(d, c.by_alpha + k), end.by_alpha + n);
      if (end.by_second != nullptr) append(mask, hn::LoadU(d, c.by_second + k), end.by_second + n);
      n += hn::CountTrue(d, mask);
    };
    to(hn::And(positive, real), spikes, counts[0]);
    if (others.id != nullptr) to(hn::AndNot(positive, real), others, counts[1]);
  }
  return static_cast<std::uint32_t>(counts[0]);
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif  // HWY_TARGET != HWY_SCALAR
#endif
