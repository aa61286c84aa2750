// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/membrane.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/membrane.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/reference/training.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void step(const Membrane& m, const MembraneState& s, const float* current, std::uint32_t neurons,
          std::uint32_t first_id, bool gradients, Candidates& candidates) {
  reference::membrane_step(m, s, current, neurons, first_id, gradients, candidates);
}
std::uint32_t list(const Membrane& m, const Candidates& candidates, const ListEnd& spikes,
                   const ListEnd& others) {
  return reference::list_candidates(m, candidates, spikes, others);
}
void flow(const float* alpha, std::uint32_t neurons, std::uint32_t steps,
          const std::uint8_t* resets, float* rows, float* sum) {
  reference::membrane_flow(alpha, neurons, steps, resets, rows, sum);
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
using Vector = hn::Vec<Floats>;
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

void step(const Membrane& m, const MembraneState& s, const float* current, std::uint32_t neurons,
          std::uint32_t first_id, bool gradients, Candidates& candidates) {
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

std::uint32_t list(const Membrane& m, const Candidates& c, const ListEnd& spikes,
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
    const auto deal = [&](Mask mask, const ListEnd& end, std::size_t& n) HWY_ATTR {
      const auto narrow = hn::DemoteTo(d16, hn::BitCast(di, chosen_ids(mask, ids)));
      hn::StoreU(narrow, d16, end.id + n);
      if (end.slope != nullptr) append(mask, slope, end.slope + n);
      if (end.by_alpha != nullptr) append(mask, hn::LoadU(d, c.by_alpha + k), end.by_alpha + n);
      if (end.by_second != nullptr) append(mask, hn::LoadU(d, c.by_second + k), end.by_second + n);
      n += hn::CountTrue(d, mask);
    };
    deal(hn::And(positive, real), spikes, counts[0]);
    if (others.id != nullptr) deal(hn::AndNot(positive, real), others, counts[1]);
  }
  return static_cast<std::uint32_t>(counts[0]);
}

// Neurons at .. at + lanes are forgotten where their bit is set.
HWY_INLINE Vector unless_reset(const std::uint8_t* bits, std::size_t at, Vector x) {
  const Floats d;
  if constexpr (hn::MaxLanes(Floats()) >= 8) {
    return hn::IfThenZeroElse(hn::LoadMaskBits(d, bits + at / 8), x);
  } else {
    const std::uint8_t few[8] = {static_cast<std::uint8_t>(bits[at / 8] >> at % 8)};
    return hn::IfThenZeroElse(hn::LoadMaskBits(d, few), x);
  }
}

// g of kVectors vectors of neurons stays in registers from step to step.
template <std::size_t kVectors>
HWY_INLINE void flow_pass(const float* alpha, std::size_t neurons, std::size_t at,
                          std::uint32_t steps, const std::uint8_t* resets, float* rows,
                          float* sum) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector g[kVectors], total[kVectors];
  for (std::size_t z = 0; z < kVectors; ++z) {
    g[z] = hn::LoadU(d, rows + steps * neurons + at + z * lanes);
    total[z] = sum != nullptr ? hn::LoadU(d, sum + at + z * lanes) : hn::Zero(d);
  }
  for (std::size_t t = steps; t-- > 0;) {
    float* row = rows + t * neurons + at;
    for (std::size_t z = 0; z < kVectors; ++z) {
      Vector kept = hn::Mul(hn::LoadU(d, alpha + at + z * lanes), g[z]);
      if (resets != nullptr) kept = unless_reset(resets + t * neurons / 8, at + z * lanes, kept);
      g[z] = hn::Add(kept, hn::LoadU(d, row + z * lanes));
      hn::StoreU(g[z], d, row + z * lanes);
      total[z] = hn::Add(total[z], g[z]);
    }
  }
  for (std::size_t z = 0; z < kVectors; ++z) {
    if (sum != nullptr) hn::StoreU(total[z], d, sum + at + z * lanes);
  }
}

void flow(const float* alpha, std::uint32_t neurons, std::uint32_t steps,
          const std::uint8_t* resets, float* rows, float* sum) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t at = 0;
  for (; at + 8 * lanes <= neurons; at += 8 * lanes)
    flow_pass<8>(alpha, neurons, at, steps, resets, rows, sum);
  for (; at < neurons; at += lanes) flow_pass<1>(alpha, neurons, at, steps, resets, rows, sum);
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
HWY_EXPORT(list);
HWY_EXPORT(flow);
HWY_EXPORT(decay);
HWY_EXPORT(output);
HWY_EXPORT(readout);

void membrane_step(const Membrane& membrane, const MembraneState& state, const float* current,
                   std::uint32_t neurons, std::uint32_t first_id, bool gradients,
                   Candidates& candidates) {
  if (scalar_kernels_forced()) {
    return reference::membrane_step(membrane, state, current, neurons, first_id, gradients,
                                    candidates);
  }
  HWY_DYNAMIC_DISPATCH(step)(membrane, state, current, neurons, first_id, gradients, candidates);
}

std::uint32_t list_candidates(const Membrane& membrane, const Candidates& candidates,
                              const ListEnd& spikes, const ListEnd& others) {
  if (scalar_kernels_forced())
    return reference::list_candidates(membrane, candidates, spikes, others);
  return HWY_DYNAMIC_DISPATCH(list)(membrane, candidates, spikes, others);
}

void membrane_flow(const float* alpha, std::uint32_t neurons, std::uint32_t steps,
                   const std::uint8_t* resets, float* rows, float* sum) {
  if (scalar_kernels_forced())
    return reference::membrane_flow(alpha, neurons, steps, resets, rows, sum);
  HWY_DYNAMIC_DISPATCH(flow)(alpha, neurons, steps, resets, rows, sum);
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
