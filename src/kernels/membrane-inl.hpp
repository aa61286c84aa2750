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
#include <limits>
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

using Places = hn::RebindToUnsigned<Floats>;
using Mask = hn::Mask<Floats>;

// Whole vectors are written at the end of a list, which has room for one: no branch depends on how
// many neurons of a vector are listed.
HWY_INLINE void append(Mask chosen, Vector values, float* end) {
  const Floats d;
  if (end != nullptr) hn::StoreU(hn::Compress(values, chosen), d, end);
}
HWY_INLINE hn::Vec<Places> chosen_places(Mask chosen, hn::Vec<Places> places) {
  return hn::Compress(places, hn::RebindMask(Places(), chosen));
}

// Who is listed, and with what.
enum class Listing { spikes, gradients, sensitivities };

// u = alpha u + I / C, or with the current i = kappa i + I between them; u holds the reset already.
// Membrane, state and candidates come as copies: the compiler cannot know that lists are not
// written over the originals.
template <MembraneKind kKind, Listing kListing>
HWY_INLINE void step_kind(const Membrane membrane, const MembraneState state, const float* current,
                          std::uint32_t neurons, std::uint32_t first, Candidates& end) {
  constexpr bool kSensitive = kListing == Listing::sensitivities;
  const Floats d;
  const Places du;
  const std::size_t lanes = hn::Lanes(d);
  const Vector threshold = hn::Set(d, membrane.threshold);
  const Vector scale = hn::Set(d, membrane.inverse_capacitance);
  const Vector ratio = hn::Set(d, membrane.second_threshold);
  const Vector adaptation = hn::Set(d, membrane.adaptation);
  const Vector one = hn::Set(d, 1.0f), zero = hn::Zero(d);
  const hn::Vec<Places> stride = hn::Set(du, static_cast<std::uint32_t>(lanes));
  hn::Vec<Places> places = hn::Add(hn::Iota(du, 0), hn::Set(du, first));
  const bool to_zero = membrane.reset_to_zero;
  const Vector drop = hn::Set(d, membrane.drop);
  const auto step = [&](std::size_t j, auto only) HWY_ATTR {
    const Vector alpha = hn::LoadU(d, membrane.alpha + j);
    Vector input = hn::LoadU(d, current + j);
    Vector level = threshold, second = zero, decay = zero;
    Vector by_alpha = zero, by_second = zero, by_decay = zero;
    const Vector before = hn::LoadU(d, state.u + j);
    if constexpr (kKind != MembraneKind::lif) {
      second = hn::LoadU(d, state.second + j);
      decay = hn::LoadU(d, membrane.second + j);
    }
    if constexpr (kKind == MembraneKind::synaptic) {
      if (kSensitive && state.second_by_decay != nullptr) {
        by_decay = hn::Add(second, hn::Mul(decay, hn::LoadU(d, state.second_by_decay + j)));
        by_second =
            hn::Add(hn::Mul(alpha, hn::LoadU(d, state.u_by_kappa + j)), hn::Mul(by_decay, scale));
      }
      second = hn::Add(hn::Mul(decay, second), input);
      input = second;
    }
    if constexpr (kKind == MembraneKind::adaptive) {
      level = hn::Add(threshold, hn::Mul(adaptation, second));
      if (kSensitive && state.second_by_decay != nullptr)
        by_second = hn::LoadU(d, state.second_by_decay + j);
    }
    if (kSensitive && state.u_by_alpha != nullptr) {
      by_alpha = hn::Add(before, hn::Mul(alpha, hn::LoadU(d, state.u_by_alpha + j)));
    }
    const Vector u = hn::Add(hn::Mul(alpha, before), hn::Mul(input, scale));
    Vector quiet = zero;
    if (state.quiet != nullptr) {  // no threshold can be reached
      quiet = hn::Max(zero, hn::Sub(hn::LoadU(d, state.quiet + j), one));
      level = hn::IfThenElse(hn::Gt(quiet, zero), hn::Set(d, std::numeric_limits<float>::infinity()), level);
    }
    const Vector x = hn::Sub(u, level);
    const Mask spiking = only(hn::Gt(x, zero));
    Mask listed = spiking;
    if constexpr (kListing != Listing::spikes)
      listed = only(hn::Or(spiking, hn::Gt(u, hn::Mul(ratio, level))));
    hn::StoreU(chosen_places(listed, places), du, end.place + end.count);
    append(listed, x, end.x + end.count);
    if (kSensitive && end.by_alpha != nullptr) append(listed, by_alpha, end.by_alpha + end.count);
    if (kSensitive && end.by_second != nullptr)
      append(listed, by_second, end.by_second + end.count);
    end.count += static_cast<std::uint32_t>(hn::CountTrue(d, listed));
    end.spikes += static_cast<std::uint32_t>(hn::CountTrue(d, spiking));
    places = hn::Add(places, stride);

    const Vector after = to_zero ? hn::IfThenZeroElse(spiking, u)
                                 : hn::Sub(u, hn::IfThenElseZero(spiking, drop));
    hn::StoreU(after, d, state.u + j);
    if (state.quiet != nullptr)
      hn::StoreU(hn::IfThenElse(spiking, hn::Set(d, membrane.refractory), quiet), d, state.quiet + j);
    if constexpr (kKind == MembraneKind::synaptic) hn::StoreU(second, d, state.second + j);
    if constexpr (kKind == MembraneKind::adaptive) {
      const Vector next = hn::Add(hn::Mul(decay, second), hn::IfThenElseZero(spiking, one));
      hn::StoreU(next, d, state.second + j);
    }
    if constexpr (kSensitive) {
      // A reset to zero also forgets how u came about.
      const auto kept = [&](Vector by)
                            HWY_ATTR { return to_zero ? hn::IfThenZeroElse(spiking, by) : by; };
      if (state.u_by_alpha != nullptr) hn::StoreU(kept(by_alpha), d, state.u_by_alpha + j);
      if (state.second_by_decay != nullptr && kKind == MembraneKind::synaptic) {
        hn::StoreU(by_decay, d, state.second_by_decay + j);
        hn::StoreU(kept(by_second), d, state.u_by_kappa + j);
      }
      if (state.second_by_decay != nullptr && kKind == MembraneKind::adaptive) {
        hn::StoreU(hn::Add(second, hn::Mul(decay, by_second)), d, state.second_by_decay + j);
      }
    }
  };
  std::size_t j = 0;
  for (; j + lanes <= neurons; j += lanes) step(j, [](Mask mask) HWY_ATTR { return mask; });
  if (j < neurons) {
    const Mask real = hn::FirstN(d, neurons - j);
    step(j, [&](Mask mask) HWY_ATTR { return hn::And(mask, real); });
  }
}

// Calls run(kind, listing), both as constants.
template <class Run>
HWY_INLINE void with_kind(const Membrane& m, const MembraneState& s, bool gradients,
                          const Run& run) {
  const bool sensitive = s.u_by_alpha != nullptr || s.second_by_decay != nullptr;
  const auto listing = [&](auto kind) HWY_ATTR {
    if (sensitive) {
      run(kind, std::integral_constant<Listing, Listing::sensitivities>());
    } else if (gradients) {
      run(kind, std::integral_constant<Listing, Listing::gradients>());
    } else {
      run(kind, std::integral_constant<Listing, Listing::spikes>());
    }
  };
  switch (m.kind) {
    case MembraneKind::lif:
      return listing(std::integral_constant<MembraneKind, MembraneKind::lif>());
    case MembraneKind::adaptive:
      return listing(std::integral_constant<MembraneKind, MembraneKind::adaptive>());
    case MembraneKind::synaptic:
      return listing(std::integral_constant<MembraneKind, MembraneKind::synaptic>());
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

HWY_INLINE void deal(const Membrane& m, const Candidates& c, const ListEnd& spikes,
                     const ListEnd& others) {
  const Floats d;
  const Places du;
  const hn::Rebind<std::int32_t, Floats> di;
  const hn::Rebind<std::uint16_t, Floats> d16;
  const std::size_t lanes = hn::Lanes(d);
  const auto half = [&](hn::Vec<Places> values, std::uint16_t* end) HWY_ATTR {
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, values)), d16, end);
  };
  const hn::Vec<Places> low = hn::Set(du, 0xffff);
  std::size_t counts[2] = {0, 0};
  for (std::size_t k = 0; k < c.count; k += lanes) {
    const Vector x = hn::LoadU(d, c.x + k);
    const hn::Vec<Places> places = hn::LoadU(du, c.place + k);
    const Mask real = hn::FirstN(d, c.count - k), positive = hn::Gt(x, hn::Zero(d));
    const Vector slope = spikes.slope != nullptr ? hn::Mul(hn::Set(d, m.height), slopes(m, x)) : x;
    const auto to = [&](Mask mask, const ListEnd& end, std::size_t& n) HWY_ATTR {
      const hn::Vec<Places> chosen = chosen_places(mask, places);
      half(hn::And(chosen, low), end.id + n);
      half(hn::ShiftRight<16>(chosen), end.step + n);
      if (end.slope != nullptr) append(mask, slope, end.slope + n);
      if (end.by_alpha != nullptr) append(mask, hn::LoadU(d, c.by_alpha + k), end.by_alpha + n);
      if (end.by_second != nullptr) append(mask, hn::LoadU(d, c.by_second + k), end.by_second + n);
      n += hn::CountTrue(d, mask);
    };
    to(hn::And(positive, real), spikes, counts[0]);
    if (others.id != nullptr) to(hn::AndNot(positive, real), others, counts[1]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera
HWY_AFTER_NAMESPACE();
#endif  // HWY_TARGET != HWY_SCALAR
#endif
