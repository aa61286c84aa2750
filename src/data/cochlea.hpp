// A filter bank in the manner of a cochlea: sound becomes events of up to 700 frequency channels.
//
// Filter c: gammatone of order four (Patterson et al. 1992) at centre frequency f_c, as four
// complex one-pole filters in a row, z_k[n] = a z_k[n-1] + (1 - |a|) z_{k-1}[n], a = exp((-2 pi b_c
// + 2 pi i f_c) / fs), b_c = 1.019 ERB(f_c), ERB(f) = 24.7 (4.37 f / 1000 + 1) Hz (Glasberg and
// Moore 1990). A tone at f_c with amplitude 1 gives |z_4| = 1/2. Hair cell: half-wave rectified,
// max(0, Re z_4), averaged over frames of 1 ms, times 2 pi (1 for that tone), raised to
// `compression`: e_c. Sounds are scaled to a largest |sample| of 1 first.
//   cochlea  tau dv/dt = -v + gain e_c, exact over a frame; v > 1: event, v = 0, held for the
//   refractory time delta    a reference r follows e_c: while e_c - r >= threshold: event `on`, r
//   += threshold; likewise `off`
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "data/readers.hpp"
#include "data/source.hpp"
#include "tessera/data.hpp"

namespace tessera::training {

class Cochlea {
 public:
  /// `spec` has all defaults filled in. Throws InputError (`name` is the sound) when high_hz is not
  /// below half the rate.
  Cochlea(const EncoderSpec& spec, double rate_hz, const std::string& name);

  [[nodiscard]] const std::vector<double>& centre_hz() const { return centre_hz_; }
  /// e_c, frame after frame: frames x filters.
  [[nodiscard]] std::vector<float> envelopes(const std::vector<float>& samples) const;
  /// Addresses: cochlea c; delta 2 c + (1: on, 0: off). Times are the ends of frames.
  void events(const std::vector<float>& samples, Events& events) const;

 private:
  EncoderSpec spec_;
  double rate_hz_;
  std::vector<double> centre_hz_;
  std::vector<float> pole_re_, pole_im_, gain_;
};

/// Centre frequencies from low to high at equal steps of the scale.
[[nodiscard]] std::vector<double> centre_frequencies(FrequencyScale scale, double low_hz,
                                                     double high_hz, std::uint32_t count);

}  // namespace tessera::training
