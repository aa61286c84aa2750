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

// The four stages of all filters, one array per stage and part, so that the loop over filters is a
// vector loop.
struct Stages {
  explicit Stages(std::size_t filters)
      : re(kOrder * filters, 0.0f), im(kOrder * filters, 0.0f), sum(filters, 0.0f) {}
  std::vector<float> re, im, sum;
};

// One sample through one stage; `in` is replaced by the output.
void stage(std::size_t filters, const float* a_re, const float* a_im, const float* gain,
           float* __restrict z_re, float* __restrict z_im, float* __restrict in_re,
           float* __restrict in_im) {
  for (std::size_t c = 0; c < filters; ++c) {
    const float re = a_re[c] * z_re[c] - a_im[c] * z_im[c] + gain[c] * in_re[c];
    const float im = a_re[c] * z_im[c] + a_im[c] * z_re[c] + gain[c] * in_im[c];
    z_re[c] = in_re[c] = re;
    z_im[c] = in_im[c] = im;
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
  Stages stages(filters);
  std::vector<float> re(filters), im(filters);
  std::size_t n = 0;
  const auto exponent = static_cast<float>(*spec_.compression);
  for (std::size_t f = 0; f < frames; ++f) {
    const auto end = static_cast<std::size_t>(std::llround(static_cast<double>(f + 1) * frame));
    const std::size_t begin = n;
    std::fill(stages.sum.begin(), stages.sum.end(), 0.0f);
    for (; n < end && n < samples.size(); ++n) {
      std::fill(re.begin(), re.end(), samples[n] / peak);
      std::fill(im.begin(), im.end(), 0.0f);
      for (std::size_t k = 0; k < kOrder; ++k) {
        stage(filters, pole_re_.data(), pole_im_.data(), gain_.data(),
              stages.re.data() + k * filters, stages.im.data() + k * filters, re.data(), im.data());
      }
      for (std::size_t c = 0; c < filters; ++c) stages.sum[c] += std::max(0.0f, re[c]);
    }
    const float scale =
        2.0f * std::numbers::pi_v<float> / static_cast<float>(std::max<std::size_t>(1, n - begin));
    for (std::size_t c = 0; c < filters; ++c) {
      result[f * filters + c] = std::pow(stages.sum[c] * scale, exponent);
    }
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
