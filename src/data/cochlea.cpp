// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/cochlea.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/flush_subnormals.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kFrameUs = 1000;
constexpr int kOrder = 4;

// ERB number and mel (O'Shaughnessy 1987) of a frequency, and back.
double to_scale(FrequencyScale scale, double hz) {
  return scale == FrequencyScale::erb ? 21.4 * std::log10(1.0 + 0.00437 * hz)
                                      : 2595.0 * std::log10(1.0 + hz / 700.0);
}
double from_scale(FrequencyScale scale, double value) {
  return scale == FrequencyScale::erb ? (std::pow(10.0, value / 21.4) - 1.0) / 0.00437
                                      : 700.0 * (std::pow(10.0, value / 2595.0) - 1.0);
}

// Filters are computed in blocks: a vector type of GCC and Clang, whatever the processor has.
constexpr std::size_t kBlock = 8;
typedef float Lanes __attribute__((vector_size(kBlock * sizeof(float))));

struct Block {
  Lanes pole_re{}, pole_im{}, gain{};
  Lanes re[kOrder]{}, im[kOrder]{};  // the stages' states
};

// The rectified output of a block, summed over samples.
void filter(Block& block, const float* samples, std::size_t count, float scale, Lanes& sum) {
  const Lanes zero{};
  for (std::size_t n = 0; n < count; ++n) {
    Lanes in_re = zero + samples[n] * scale, in_im = zero;
    for (int k = 0; k < kOrder; ++k) {
      const Lanes re =
          block.pole_re * block.re[k] - block.pole_im * block.im[k] + block.gain * in_re;
      const Lanes im =
          block.pole_re * block.im[k] + block.pole_im * block.re[k] + block.gain * in_im;
      block.re[k] = in_re = re;
      block.im[k] = in_im = im;
    }
    sum += in_re > zero ? in_re : zero;
  }
}

}  // namespace

std::vector<double> centre_frequencies(FrequencyScale scale, double low_hz, double high_hz,
                                       std::uint32_t count) {
  const double low = to_scale(scale, low_hz), high = to_scale(scale, high_hz);
  std::vector<double> centres(count);
  for (std::uint32_t c = 0; c < count; ++c) {
    const double part = count > 1 ? static_cast<double>(c) / (count - 1) : 0.5;
    centres[c] = from_scale(scale, low + part * (high - low));
  }
  return centres;
}

Cochlea::Cochlea(const EncoderSpec& spec, double rate_hz, const std::string& name)
    : spec_(spec), rate_hz_(rate_hz) {
  const double high = spec.high_hz.value_or(0.45 * rate_hz);
  if (high >= 0.5 * rate_hz || *spec.low_hz >= high) {
    throw InputError(fmt::format(
        "{} has {} samples per second: filters from {} to {} Hz do not lie below half of that.",
        name, rate_hz, *spec.low_hz, high));
  }
  centre_hz_ = centre_frequencies(spec.scale, *spec.low_hz, high, spec.channels);
  for (const double f : centre_hz_) {
    const double bandwidth = 1.019 * 24.7 * (4.37 * f / 1000.0 + 1.0);
    const double radius = std::exp(-2.0 * std::numbers::pi * bandwidth / rate_hz);
    const double angle = 2.0 * std::numbers::pi * f / rate_hz;
    pole_re_.push_back(static_cast<float>(radius * std::cos(angle)));
    pole_im_.push_back(static_cast<float>(radius * std::sin(angle)));
    gain_.push_back(static_cast<float>(1.0 - radius));
  }
}

std::vector<float> Cochlea::envelopes(const std::vector<float>& samples) const {
  const std::size_t filters = centre_hz_.size();
  const double frame = rate_hz_ * kFrameUs * 1e-6;  // samples, not always a whole number
  const auto frames = static_cast<std::size_t>(static_cast<double>(samples.size()) / frame);
  std::vector<float> result(frames * filters);
  float peak = 0.0f;
  for (const float s : samples) peak = std::max(peak, std::abs(s));
  if (peak == 0.0f) return result;
  const FlushSubnormals flush;  // filters that ring out in silence
  std::vector<Block> blocks((filters + kBlock - 1) / kBlock);
  for (std::size_t c = 0; c < filters; ++c) {
    Block& block = blocks[c / kBlock];
    block.pole_re[c % kBlock] = pole_re_[c];
    block.pole_im[c % kBlock] = pole_im_[c];
    block.gain[c % kBlock] = gain_[c];
  }
  const auto exponent = static_cast<float>(*spec_.compression);
  std::size_t begin = 0;
  for (std::size_t f = 0; f < frames; ++f) {
    const std::size_t end = std::min(
        samples.size(), static_cast<std::size_t>(std::llround(static_cast<double>(f + 1) * frame)));
    const float scale = 2.0f * std::numbers::pi_v<float> /
                        static_cast<float>(std::max<std::size_t>(1, end - begin));
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      Lanes sum{};
      filter(blocks[b], samples.data() + begin, end - begin, 1.0f / peak, sum);
      for (std::size_t j = 0; j < kBlock && b * kBlock + j < filters; ++j) {
        result[f * filters + b * kBlock + j] = std::pow(sum[j] * scale, exponent);
      }
    }
    begin = end;
  }
  return result;
}

void Cochlea::events(const std::vector<float>& samples, Events& events) const {
  events.clear();
  const std::size_t filters = centre_hz_.size();
  const std::vector<float> envelope = envelopes(samples);
  const std::size_t frames = filters > 0 ? envelope.size() / filters : 0;
  std::vector<double> state(filters, 0.0);
  std::vector<std::uint32_t> free_at(filters, 0);
  const bool delta = spec_.kind == EncoderKind::delta;
  const double decay = delta ? 0.0 : std::exp(-1e-3 * kFrameUs / *spec_.hair_tau_ms);
  const double gain = delta ? 0.0 : *spec_.gain;
  const double change = delta ? *spec_.delta_threshold : 0.0;
  const auto rest =
      delta ? 0u : static_cast<std::uint32_t>(std::llround(*spec_.refractory_ms * 1e3));
  for (std::size_t f = 0; f < frames; ++f) {
    const auto time = static_cast<std::uint32_t>((f + 1) * kFrameUs);
    for (std::size_t c = 0; c < filters; ++c) {
      const double e = envelope[f * filters + c];
      const auto address = static_cast<std::uint32_t>(c);
      double& v = state[c];
      if (delta) {
        for (; e - v >= change; v += change) events.add(time, 2 * address + 1);
        for (; v - e >= change; v -= change) events.add(time, 2 * address);
      } else if (time > free_at[c]) {
        v = decay * v + (1.0 - decay) * gain * e;
        if (v > 1.0) {
          events.add(time, address);
          v = 0.0;
          free_at[c] = time + rest;
        }
      }
    }
  }
}

}  // namespace tessera::training
