// Encoders against their equations, worked out by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/encoding.hpp"

#include <cmath>
#include <set>

#include "data/augmentation.hpp"
#include "data/cochlea.hpp"
#include "files.hpp"

namespace tessera::training {
namespace {

EncoderSpec latency(std::uint32_t steps, double dt_ms) {
  DataSpec spec = spec_of("yin_yang");
  spec.encoder.steps = steps;
  spec.encoder.dt_ms = dt_ms;
  return with_defaults(spec).encoder;
}

Events made(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& time_and_address) {
  Events events;
  for (const auto& [time, address] : time_and_address) events.add(time, address);
  return events;
}

TEST(Latency, linear_times_fall_with_the_value) {
  EncoderSpec encoder = latency(11, 1.0);
  encoder.early_ms = 2.0;
  Events events;
  latency_events({1.0f, 0.0f, 0.5f}, encoder, events);
  EXPECT_EQ(events.time_us, (std::vector<std::uint32_t>{2000, 10'000, 6000}));
  // A threshold leaves out what is at or below it and moves nothing: 2 + 8 (1 - 0.75) = 4 ms.
  encoder.threshold = 0.2;
  latency_events({1.0f, 0.1f, 0.75f, 0.2f, 0.25f}, encoder, events);
  EXPECT_EQ(events.address, (std::vector<std::uint32_t>{0, 2, 4}));
  EXPECT_EQ(events.time_us, (std::vector<std::uint32_t>{2000, 4000, 8000}));
  // A threshold of zero is one, too.
  encoder.threshold = 0.0;
  latency_events({0.5f, 0.0f}, encoder, events);
  EXPECT_EQ(events.address, std::vector<std::uint32_t>{0});
}

TEST(Latency, logarithmic_times_are_those_of_a_driven_membrane) {
  EncoderSpec encoder = latency(101, 1.0);
  encoder.curve = LatencyCurve::logarithmic;
  encoder.threshold = 0.2;
  encoder.tau_ms = 20.0;
  Events events;
  latency_events({1.0f, 0.5f, 0.2f, 0.1f, 0.2001f}, encoder, events);
  // Membrane v(t) = x (1 - exp(-t / tau)) reaches theta at tau log(x / (x - theta)).
  const double t1 = 20.0 * std::log(1.0 / 0.8), t2 = 20.0 * std::log(0.5 / 0.3);
  EXPECT_EQ(events.address, (std::vector<std::uint32_t>{0, 1, 4}));
  EXPECT_EQ(events.time_us[0], 0u);
  EXPECT_NEAR(events.time_us[1], 1000.0 * (t2 - t1), 1.0);
  EXPECT_EQ(events.time_us[2], 100'000u);  // 20 log(2001) = 152 ms: not later than late_ms
}

TEST(Binner, puts_events_into_steps_once_per_channel) {
  EncoderSpec encoder;
  encoder.steps = 3;
  encoder.dt_ms = 10.0;
  encoder.start_ms = 5.0;
  const Geometry geometry({1, 4, 1}, encoder);
  Binner binner;
  SpikeSample sample;
  // 4999 is before the start; 15000 is the first time of step 1; 35000 the first after the end.
  binner.bin(
      made({{15'000, 3}, {4999, 0}, {5000, 2}, {14'999, 1}, {6000, 2}, {34'999, 0}, {35'000, 1}}),
      geometry, encoder, sample);
  EXPECT_EQ(sample.first, (std::vector<std::uint32_t>{0, 2, 3, 4}));
  EXPECT_EQ(sample.channel, (std::vector<std::uint32_t>{1, 2, 3, 0}));
  encoder.min_events = 2;
  binner.bin(made({{15'000, 3}, {5000, 2}, {6000, 2}, {7000, 1}}), geometry, encoder, sample);
  EXPECT_EQ(sample.channel, std::vector<std::uint32_t>{2});
}

TEST(Binner, borders_of_steps_do_not_depend_on_rounding) {
  EncoderSpec encoder;
  encoder.steps = 1000;
  encoder.dt_ms = 0.1;  // 0.1 is not a binary number
  const Geometry geometry({1, 1, 1}, encoder);
  Binner binner;
  SpikeSample sample;
  Events events;
  for (std::uint32_t t = 0; t < 1000; ++t) events.add(100 * t, 0);
  binner.bin(events, geometry, encoder, sample);
  for (std::uint32_t t = 0; t <= 1000; ++t) ASSERT_EQ(sample.first[t], t);
}

TEST(Geometry, crops_scales_and_merges) {
  EncoderSpec encoder;
  encoder.crop_x = 1;
  encoder.crop_width = 4;
  encoder.width = 2;
  encoder.height = 1;
  encoder.merge_polarities = true;
  const Geometry geometry({2, 6, 2}, encoder);
  EXPECT_EQ(geometry.shape(), (Shape{1, 2, 1}));
  const auto at = [&](std::uint32_t y, std::uint32_t x, std::uint32_t p) {
    return geometry((y * 6 + x) * 2 + p);
  };
  EXPECT_EQ(at(0, 0, 0), Geometry::kOutside);
  EXPECT_EQ(at(1, 5, 1), Geometry::kOutside);
  EXPECT_EQ(at(0, 1, 0), 0u);
  EXPECT_EQ(at(1, 2, 1), 0u);
  EXPECT_EQ(at(0, 3, 1), 1u);
  EXPECT_EQ(at(1, 4, 0), 1u);
}

TEST(Geometry, means_over_merged_pixels) {
  EncoderSpec encoder;
  encoder.width = 2;
  encoder.height = 1;
  const Geometry geometry({2, 4, 1}, encoder);
  std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8};
  geometry.scale(values);
  EXPECT_EQ(values, (std::vector<float>{3.5f, 5.5f}));
}

// Standard deviation of a binomial count; six of them are exceeded once in 10^9.
double six_sigma(double n, double p) { return 6.0 * std::sqrt(n * p * (1.0 - p)); }

TEST(Rate, spikes_have_the_stated_probability) {
  for (const RateKind kind : {RateKind::bernoulli, RateKind::poisson}) {
    EncoderSpec encoder;
    encoder.kind = EncoderKind::rate;
    encoder.steps = 1000;
    encoder.dt_ms = 2.0;
    encoder.max_rate_hz = 100.0;
    encoder.rate_kind = kind;
    encoder.threshold = 0.1;
    SpikeSample sample;
    std::array<double, 4> count{};
    const double trials = 50 * 1000.0;
    for (std::uint32_t i = 0; i < 50; ++i) {
      RandomStream random(RandomKey(3), Purpose::encoding, i, 0);
      rate_spikes({1.0f, 0.5f, 0.1f, 0.0f}, encoder, random, sample);  // 0.1 is at the threshold
      ASSERT_EQ(sample.first.size(), 1001u);
      for (std::size_t t = 0; t < 1000; ++t) {
        for (std::uint32_t s = sample.first[t]; s < sample.first[t + 1]; ++s) {
          if (s > sample.first[t]) {
            ASSERT_LT(sample.channel[s - 1], sample.channel[s]);
          }
          count[sample.channel[s]] += 1.0;
        }
      }
    }
    const bool poisson = kind == RateKind::poisson;
    const double full = poisson ? 1.0 - std::exp(-0.2) : 0.2,
                 half = poisson ? 1.0 - std::exp(-0.1) : 0.1;
    EXPECT_NEAR(count[0], trials * full, six_sigma(trials, full));
    EXPECT_NEAR(count[1], trials * half, six_sigma(trials, half));
    EXPECT_EQ(count[2] + count[3], 0.0);
  }
}

TEST(Rate, certain_spikes_come_in_every_step) {
  EncoderSpec encoder;
  encoder.steps = 50;
  encoder.dt_ms = 1.0;
  encoder.max_rate_hz = 5000.0;
  encoder.threshold = 0.0;
  RandomStream random(RandomKey(3), Purpose::encoding, 0, 0);
  SpikeSample sample;
  rate_spikes({1.0f}, encoder, random, sample);
  EXPECT_EQ(sample.channel.size(), 50u);
}

TEST(ThinOut, keeps_a_fair_choice_in_order) {
  std::array<int, 10> taken{};
  for (std::uint32_t i = 0; i < 3000; ++i) {
    SpikeSample sample{{0, 10, 10, 12}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 4}, 0};
    RandomStream random(RandomKey(1), Purpose::encoding, i, 1);
    thin_out(4, random, sample);
    ASSERT_EQ(sample.first, (std::vector<std::uint32_t>{0, 4, 4, 6}));
    for (int s = 0; s < 4; ++s) ++taken[sample.channel[static_cast<std::size_t>(s)]];
    for (int s = 1; s < 4; ++s) ASSERT_LT(sample.channel[s - 1], sample.channel[s]);
    EXPECT_EQ(sample.channel[4], 3u);
  }
  for (const int n : taken) EXPECT_NEAR(n, 1200, six_sigma(3000, 0.4));
}

TEST(AddBias, puts_the_last_channel_into_its_step) {
  SpikeSample sample{{0, 1, 2, 2}, {0, 1}, 0};
  add_bias(4, 1, sample);
  EXPECT_EQ(sample.first, (std::vector<std::uint32_t>{0, 1, 3, 3}));
  EXPECT_EQ(sample.channel, (std::vector<std::uint32_t>{0, 1, 4}));
}

// ------------------------------------------------------------------------------------- cochlea

std::vector<float> tone(double hz, double rate_hz, double seconds, double amplitude = 0.5) {
  std::vector<float> samples(static_cast<std::size_t>(rate_hz * seconds));
  for (std::size_t n = 0; n < samples.size(); ++n) {
    samples[n] = static_cast<float>(amplitude *
                                    std::sin(2.0 * M_PI * hz * static_cast<double>(n) / rate_hz));
  }
  return samples;
}

EncoderSpec sound(std::uint32_t channels, EncoderKind kind = EncoderKind::cochlea) {
  DataSpec spec = spec_of("spoken_digits");
  spec.encoder.kind = kind;
  spec.encoder.channels = channels;
  return with_defaults(spec).encoder;
}

TEST(Cochlea, centres_are_spaced_on_the_scale) {
  const auto erb = centre_frequencies(FrequencyScale::erb, 80.0, 3600.0, 700);
  ASSERT_EQ(erb.size(), 700u);
  EXPECT_NEAR(erb.front(), 80.0, 1e-9);
  EXPECT_NEAR(erb.back(), 3600.0, 1e-6);
  // 1000 Hz is 1000 mel by definition, 0 Hz is 0.
  EXPECT_NEAR(centre_frequencies(FrequencyScale::mel, 1e-9, 1000.0, 3)[1],
              700.0 * (std::sqrt(17.0 / 7.0) - 1.0), 0.1);
}

TEST(Cochlea, a_tone_drives_the_filter_at_its_frequency_most) {
  EncoderSpec encoder = sound(50);
  encoder.compression = 1.0;
  const Cochlea cochlea(encoder, 8000.0, "tone");
  for (const std::size_t c : {5u, 25u, 45u}) {
    const auto e = cochlea.envelopes(tone(cochlea.centre_hz()[c], 8000.0, 0.5));
    ASSERT_EQ(e.size(), 500u * 50);
    std::vector<double> mean(50);
    for (std::size_t f = 200; f < 500; ++f) {
      for (std::size_t k = 0; k < 50; ++k) mean[k] += e[f * 50 + k] / 300.0;
    }
    EXPECT_EQ(std::max_element(mean.begin(), mean.end()) - mean.begin(),
              static_cast<std::ptrdiff_t>(c));
    // Scaled so that this is 1: peak scaling undoes the amplitude of 0.5. The other, negative
    // frequency of the real tone leaks in a little at low centres.
    EXPECT_NEAR(mean[c], 1.0, 0.02);
  }
}

TEST(Cochlea, hair_cells_fire_at_the_rate_of_a_driven_neuron) {
  EncoderSpec encoder = sound(20);
  encoder.compression = 1.0;
  encoder.gain = 2.0;
  encoder.hair_tau_ms = 10.0;
  encoder.refractory_ms = 3.0;
  const Cochlea cochlea(encoder, 8000.0, "tone");
  Events events;
  cochlea.events(tone(cochlea.centre_hz()[15], 8000.0, 2.0), events);
  const auto count = std::count(events.address.begin(), events.address.end(), 15u);
  // tau log(g / (g - 1)) = 6.93 ms to threshold, 7 frames, and 3 frames held: every 10 ms.
  EXPECT_NEAR(static_cast<double>(count), 200.0, 4.0);
  EXPECT_TRUE(std::all_of(events.time_us.begin(), events.time_us.end(),
                          [](std::uint32_t t) { return t % 1000 == 0 && t <= 2'000'000; }));
}

TEST(Delta, events_follow_the_envelope_up_and_down) {
  EncoderSpec encoder = sound(20, EncoderKind::delta);
  encoder.delta_threshold = 0.1;
  const Cochlea cochlea(encoder, 8000.0, "tone");
  std::vector<float> samples = tone(cochlea.centre_hz()[10], 8000.0, 0.3);
  samples.resize(8000, 0.0f);  // silence after the tone
  Events events;
  cochlea.events(samples, events);
  const auto e = cochlea.envelopes(samples);
  for (const std::uint32_t c : {10u, 3u}) {
    double reference = 0.0;
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events.address[i] / 2 != c) continue;
      EXPECT_GE(events.time_us[i], last);
      last = events.time_us[i];
      reference += events.address[i] % 2 == 1 ? 0.1 : -0.1;
    }
    // The events sum up to where the envelope ended, within a threshold.
    EXPECT_NEAR(reference, e[(e.size() / 20 - 1) * 20 + c], 0.1 + 1e-6);
  }
}

TEST(Cochlea, silence_is_silent_and_low_rates_are_refused) {
  const Cochlea cochlea(sound(10), 8000.0, "a.wav");
  Events events;
  cochlea.events(std::vector<float>(4000, 0.0f), events);
  EXPECT_EQ(events.size(), 0u);
  cochlea.events({}, events);
  EXPECT_EQ(events.size(), 0u);
  EncoderSpec encoder = sound(10);
  encoder.high_hz = 4000.0;
  EXPECT_TRUE(contains(refusal([&] { (void)Cochlea(encoder, 8000.0, "a.wav"); }),
                       "a.wav has 8000 samples per second: filters from 80 to 4000 Hz"));
}

// -------------------------------------------------------------------------------- augmentation

TEST(Augmentation, times_are_skewed_and_cropped) {
  AugmentationSpec spec;
  spec.skew_low = spec.skew_high = 1.5;
  RandomStream random(RandomKey(1), Purpose::augmentation, 0, 0);
  Events events = made({{1000, 1}, {2000, 2}});
  vary_times(spec, random, events);
  EXPECT_EQ(events.time_us, (std::vector<std::uint32_t>{1500, 3000}));
  spec = {};
  spec.crop_ms = 10.0;
  double sum = 0.0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    RandomStream own(RandomKey(1), Purpose::augmentation, i, 0);
    events = made({{0, 0}, {10'000, 1}, {20'000, 2}});
    vary_times(spec, own, events);
    ASSERT_GE(events.size(), 2u);  // only the first can fall out
    ASSERT_EQ(events.time_us[events.size() - 1] - events.time_us[events.size() - 2], 10'000u);
    sum += 20'000.0 - events.time_us[events.size() - 1];
  }
  // Uniform in 0 .. 10 ms: six standard errors of the mean.
  EXPECT_NEAR(sum / 1000.0, 5000.0, 6.0 * 10'000.0 / std::sqrt(12.0 * 1000.0));
}

TEST(Augmentation, jitter_is_normal) {
  AugmentationSpec spec;
  spec.jitter_ms = 2.0;
  Events events;
  for (int i = 0; i < 20'000; ++i) events.add(100'000, 0);
  RandomStream random(RandomKey(4), Purpose::augmentation, 0, 0);
  vary_times(spec, random, events);
  double sum = 0.0, squares = 0.0;
  for (const std::uint32_t t : events.time_us) {
    const double d = static_cast<double>(t) - 100'000.0;
    sum += d;
    squares += d * d;
  }
  EXPECT_NEAR(sum / 20'000, 0.0, 6.0 * 2000.0 / std::sqrt(20'000.0));
  EXPECT_NEAR(std::sqrt(squares / 20'000), 2000.0, 6.0 * 2000.0 / std::sqrt(40'000.0));
}

TEST(Augmentation, shifts_move_everything_alike_and_drop_what_leaves) {
  AugmentationSpec spec;
  spec.shift = 2;
  std::set<std::pair<int, int>> seen;
  for (std::uint32_t i = 0; i < 500; ++i) {
    RandomStream random(RandomKey(1), Purpose::augmentation, i, 0);
    const auto at = [](std::uint32_t y, std::uint32_t x) { return (y * 8 + x) * 2 + 1; };
    Events events = made({{1, at(4, 4)}, {2, at(5, 6)}, {3, at(0, 0)}});
    vary_places(spec, {8, 8, 2}, random, events);
    const std::uint32_t moved = events.address[0];
    ASSERT_EQ(moved % 2, 1u);
    const int dx = static_cast<int>(moved / 2 % 8) - 4, dy = static_cast<int>(moved / 16) - 4;
    seen.insert({dx, dy});
    ASSERT_EQ(events.size(), 2u + (dx >= 0 && dy >= 0) - (dx > 1));
  }
  EXPECT_EQ(seen.size(), 25u);  // -2 .. 2 in both directions
}

TEST(Augmentation, a_quarter_turn_maps_pixels_onto_pixels) {
  AugmentationSpec spec;
  spec.rotation_degrees = 90.0;
  const Shape shape{5, 5, 1};
  // Both ways of turning an image are the same motion: what events do, values do.
  for (std::uint32_t i = 0; i < 20; ++i) {
    RandomStream a(RandomKey(7), Purpose::augmentation, i, 0),
        b(RandomKey(7), Purpose::augmentation, i, 0);
    Events events = made({{0, 2 * 5 + 2}});  // the centre stays
    vary_places(spec, shape, a, events);
    ASSERT_EQ(events.address[0], 12u);
    std::vector<float> image(25, 0.0f);
    image[12] = 1.0f;
    vary_image(spec, shape, b, image);
    ASSERT_NEAR(image[12], 1.0f, 1e-6f);
  }
}

// x goes to step T - round(T x), T = 30, and step T stays silent (Arnold et al. 2025), for every value of a byte.
TEST(Encoding, latency_from_half_a_step_rounds_to_the_nearest_step) {
  EncoderSpec encoder;
  encoder.kind = EncoderKind::latency;
  encoder.steps = 31;
  encoder.dt_ms = 1.0;
  encoder.early_ms = 0.5;
  encoder.late_ms = 30.5;
  encoder.threshold = 0.01666;
  const Geometry geometry({1, 1, 1}, encoder);
  Binner binner;
  for (int grey = 0; grey < 256; ++grey) {
    const float x = static_cast<float>(grey) / 255.0f;
    Events events;
    latency_events({x}, encoder, events);
    SpikeSample sample;
    binner.bin(events, geometry, encoder, sample);
    const long step = 30 - std::lround(30.0 * grey / 255.0);
    ASSERT_EQ(sample.channel.size(), step < 30 ? 1u : 0u) << grey;
    if (step < 30) ASSERT_EQ(sample.first[static_cast<std::size_t>(step) + 1] - sample.first[static_cast<std::size_t>(step)], 1u) << grey;
  }
}

TEST(Augmentation, some_images_turn_and_their_brightest_pixel_is_bright_again) {
  AugmentationSpec spec;
  spec.rotation_degrees = 25.0;
  spec.rotation_probability = 0.3;
  spec.rotation_gain = 1.2;
  const Shape shape{9, 9, 1};
  std::uint32_t turned = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    RandomStream random(RandomKey(7), Purpose::augmentation, i, 0);
    std::vector<float> image(81, 0.0f);
    image[10] = 0.5f;
    image[11] = 0.25f;
    const std::vector<float> before = image;
    vary_image(spec, shape, random, image);
    if (image == before) continue;  // not even brighter
    ++turned;
    ASSERT_EQ(*std::max_element(image.begin(), image.end()), 1.0f);  // 1.2 times the largest is cut at 1
  }
  EXPECT_NEAR(turned, 600.0, six_sigma(2000, 0.3));
}

TEST(Augmentation, images_and_events_move_alike) {
  AugmentationSpec spec;
  spec.shift = 3;
  const Shape shape{9, 9, 1};
  for (std::uint32_t i = 0; i < 50; ++i) {
    RandomStream a(RandomKey(7), Purpose::augmentation, i, 0),
        b(RandomKey(7), Purpose::augmentation, i, 0);
    Events events = made({{0, 4 * 9 + 3}});
    std::vector<float> image(81, 0.0f);
    image[4 * 9 + 3] = 1.0f;
    vary_places(spec, shape, a, events);
    vary_image(spec, shape, b, image);
    ASSERT_EQ(events.size(), 1u);
    ASSERT_FLOAT_EQ(image[events.address[0]], 1.0f);
  }
}

TEST(Augmentation, blending_keeps_half_of_both_around_one_centre) {
  Events here, there;
  for (std::uint32_t i = 0; i < 2000; ++i) here.add(50'000 + i, 100 + i % 21);  // mean 50999.5, 110
  for (std::uint32_t i = 0; i < 2000; ++i) there.add(80'000 + i, 300 + i % 21);
  RandomStream random(RandomKey(2), Purpose::augmentation, 0, 0);
  blend(there, {1, 700, 1}, random, here);
  EXPECT_NEAR(static_cast<double>(here.size()), 2000.0, six_sigma(4000, 0.5));
  for (std::size_t i = 0; i < here.size(); ++i) {
    ASSERT_GE(here.address[i], 100u);
    ASSERT_LE(here.address[i], 120u);
    ASSERT_GE(here.time_us[i], 50'000u);
    ASSERT_LT(here.time_us[i], 52'000u);
  }
}

}  // namespace
}  // namespace tessera::training
