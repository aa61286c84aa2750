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
          bool gradients, Listed& listed) {
  reference::membrane_step(m, s, current, neurons, gradients, listed);
}
void flow(const float* alpha, std::uint32_t neurons, const float* next, float* row) {
  reference::membrane_flow(alpha, neurons, next, row);
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
using Mask = hn::Mask<Floats>;

// Few of a step's neurons are listed, so the vector loop only collects bits; whoever has one is
// listed after it.
constexpr std::uint32_t kPiece = 128;

struct Piece {
  HWY_ALIGN float x[kPiece];  // u - threshold
  HWY_ALIGN float by_alpha[kPiece];
  HWY_ALIGN float by_second[kPiece];
  HWY_ALIGN std::uint8_t spikes[kPiece / 8];  // a bit per neuron
  HWY_ALIGN std::uint8_t others[kPiece / 8];
};

// Bits of neurons at .. at + lanes; a vector of four fills half a byte.
HWY_INLINE void store_bits(Mask mask, std::size_t at, std::uint8_t* bits) {
  const Floats d;
  if constexpr (hn::MaxLanes(Floats()) >= 8) {
    hn::StoreMaskBits(d, mask, bits + at / 8);
  } else {
    std::uint8_t few[8] = {};
    hn::StoreMaskBits(d, mask, few);
    bits[at / 8] = static_cast<std::uint8_t>(at % 8 == 0 ? few[0] : bits[at / 8] | few[0] << 4);
  }
}

template <bool kSensitive>
HWY_INLINE void append(const Membrane& m, const Piece& piece, const std::uint8_t* bits,
                       std::uint32_t first, bool gradients, ListPart& part) {
  std::uint32_t n = part.count;
  for (std::uint32_t word = 0; word < kPiece / 64; ++word) {
    std::uint64_t left;
    __builtin_memcpy(&left, bits + 8 * word, 8);
    for (; left != 0; left &= left - 1) {
      const std::uint32_t j = 64 * word + static_cast<std::uint32_t>(__builtin_ctzll(left));
      part.id[n] = first + j;
      if (gradients) {
        part.slope[n] = reference::slope_of(m, piece.x[j]);
        if (kSensitive && part.by_alpha != nullptr) part.by_alpha[n] = piece.by_alpha[j];
        if (kSensitive && part.by_second != nullptr) part.by_second[n] = piece.by_second[j];
      }
      ++n;
    }
  }
  part.count = n;
}

// u = alpha u + I / C, or with the current i = kappa i + I between them; u holds the reset already.
template <MembraneKind kKind, bool kSensitive>
HWY_INLINE void step_vectors(const Membrane& m, const MembraneState& s, const float* current,
                             std::uint32_t first, std::uint32_t end, Piece& piece) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const Vector threshold = hn::Set(d, m.threshold), scale = hn::Set(d, m.inverse_capacitance);
  const Vector ratio = hn::Set(d, m.second_threshold);
  const Vector one = hn::Set(d, 1.0f), zero = hn::Zero(d);
  if (end - first < kPiece) {
    __builtin_memset(piece.spikes, 0, sizeof(piece.spikes));
    __builtin_memset(piece.others, 0, sizeof(piece.others));
  }
  for (std::size_t j = first; j < end; j += lanes) {
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
    Mask spiking = hn::Gt(u, level);
    Mask all = hn::Or(spiking, hn::Gt(u, hn::Mul(ratio, level)));
    if (j + lanes > end) {
      const Mask real = hn::FirstN(d, end - j);
      spiking = hn::And(spiking, real);
      all = hn::And(all, real);
    }
    const std::size_t at = j - first;
    hn::Store(hn::Sub(u, level), d, piece.x + at);
    if (kSensitive) {
      hn::Store(by_alpha, d, piece.by_alpha + at);
      hn::Store(by_second, d, piece.by_second + at);
    }
    store_bits(spiking, at, piece.spikes);
    store_bits(hn::AndNot(spiking, all), at, piece.others);

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
      const auto kept = [&](Vector x) HWY_ATTR {
        return m.reset_to_zero ? hn::IfThenZeroElse(spiking, x) : x;
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
}

template <MembraneKind kKind, bool kSensitive>
HWY_INLINE void step_kind(const Membrane& m, const MembraneState& s, const float* current,
                          std::uint32_t neurons, bool gradients, Listed& listed) {
  Piece piece;
  for (std::uint32_t first = 0; first < neurons; first += kPiece) {
    step_vectors<kKind, kSensitive>(m, s, current, first, HWY_MIN(first + kPiece, neurons), piece);
    append<kSensitive>(m, piece, piece.spikes, first, gradients, listed.spikes);
    if (gradients) append<kSensitive>(m, piece, piece.others, first, true, listed.others);
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

void flow(const float* alpha, std::uint32_t neurons, const float* next, float* row) {
  const Floats d;
  for (std::size_t j = 0; j < neurons; j += hn::Lanes(d)) {
    hn::StoreU(hn::Mul(hn::LoadU(d, alpha + j), hn::LoadU(d, next + j)), d, row + j);
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
HWY_EXPORT(flow);
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

void membrane_flow(const float* alpha, std::uint32_t neurons, const float* next, float* row) {
  if (scalar_kernels_forced()) return reference::membrane_flow(alpha, neurons, next, row);
  HWY_DYNAMIC_DISPATCH(flow)(alpha, neurons, next, row);
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
