// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/membrane.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/membrane.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/membrane-inl.hpp"
#include "kernels/reference/training.hpp"
#include "tessera/simd_control.hpp"

HWY_BEFORE_NAMESPACE();
namespace tessera {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void step(const Membrane& m, const MembraneState& s, const float* current, std::uint32_t neurons,
          std::uint32_t first, bool gradients, Candidates& candidates) {
  reference::membrane_step(m, s, current, neurons, first, gradients, candidates);
}
void list(const Membrane& m, const Candidates& candidates, const ListEnd& spikes,
          const ListEnd& others) {
  reference::list_candidates(m, candidates, spikes, others);
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

void step(const Membrane& m, const MembraneState& s, const float* current, std::uint32_t neurons,
          std::uint32_t first, bool gradients, Candidates& candidates) {
  Candidates end = candidates;
  with_kind(m, s, gradients, [&](auto kind, auto listing) HWY_ATTR {
    step_kind<kind, listing>(m, s, current, neurons, first, end);
  });
  candidates = end;
}
void list(const Membrane& m, const Candidates& candidates, const ListEnd& spikes,
          const ListEnd& others) {
  deal(m, candidates, spikes, others);
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
                   std::uint32_t neurons, std::uint32_t first, bool gradients,
                   Candidates& candidates) {
  if (scalar_kernels_forced()) {
    return reference::membrane_step(membrane, state, current, neurons, first, gradients,
                                    candidates);
  }
  HWY_DYNAMIC_DISPATCH(step)(membrane, state, current, neurons, first, gradients, candidates);
}

void list_candidates(const Membrane& membrane, const Candidates& candidates, const ListEnd& spikes,
                     const ListEnd& others) {
  if (scalar_kernels_forced())
    return reference::list_candidates(membrane, candidates, spikes, others);
  HWY_DYNAMIC_DISPATCH(list)(membrane, candidates, spikes, others);
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
