// Files of the size and in the layout of the Spiking Heidelberg Digits, for measuring how fast an
// epoch is where the published set is not at hand: 8,156 and 2,264 recordings of 20 classes in 700
// channels, about 8,000 spikes each, times of 16 bits. A class is three tracks through the
// channels; accuracies on it say nothing about speech.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
//
// Usage: bench_speech DATA_FOLDER      writes DATA_FOLDER/shd/shd_train.h5 and shd_test.h5
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "base/random.hpp"
#include "data/shd_file.hpp"

namespace {

using namespace tessera;

constexpr std::uint32_t kClasses = 20, kTracks = 3, kKnots = 8, kUnits = 700;
const RandomKey kKey(7);

double between(RandomStream& random, double low, double high) {
  return low + (high - low) * random.next_unit();
}

// The channel of a track at a time from 0 to 1.
class Track {
 public:
  Track(std::uint32_t label, std::uint32_t track) {
    RandomStream random(kKey, Purpose::generated_sample, label, track);
    for (double& knot : knots_) knot = between(random, 100.0, 650.0);
  }
  [[nodiscard]] double at(double time) const {
    const double place = time * (kKnots - 1);
    const auto knot = std::min(static_cast<std::size_t>(place), std::size_t{kKnots - 2});
    const double part = place - static_cast<double>(knot);
    return knots_[knot] * (1.0 - part) + knots_[knot + 1] * part;
  }

 private:
  std::array<double, kKnots> knots_{};
};

void make(std::uint32_t label, RandomStream& random, training::Recording& recording) {
  const double seconds = between(random, 0.55, 0.95), shift = between(random, -60.0, 60.0);
  const std::uint32_t spikes = 6000 + random.next_below(4001);
  std::vector<Track> tracks;
  for (std::uint32_t k = 0; k < kTracks; ++k) tracks.emplace_back(label, k);
  recording = {};
  for (std::uint32_t i = 0; i < spikes; ++i) {
    const double time = static_cast<double>(i) / spikes;
    const std::uint32_t track = random.next_below(10);  // the last tenth is noise
    double unit = between(random, 0.0, kUnits);
    if (track < 9) unit = tracks[track % kTracks].at(time) + shift + between(random, -40.0, 40.0);
    recording.times.push_back(static_cast<float>(time * seconds));
    recording.units.push_back(static_cast<std::uint16_t>(std::clamp(unit, 0.0, kUnits - 1.0)));
  }
}

void write(const std::filesystem::path& file, std::uint32_t samples, std::uint32_t salt) {
  std::vector<std::int32_t> labels;
  for (std::uint32_t i = 0; i < samples; ++i)
    labels.push_back(static_cast<std::int32_t>(i % kClasses));
  training::write_shd(file, labels, true, [&](std::size_t i, training::Recording& recording) {
    RandomStream random(kKey, Purpose::subsample, static_cast<std::uint32_t>(i), salt);
    make(static_cast<std::uint32_t>(labels[i]), random, recording);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_speech DATA_FOLDER\n");
    return 2;
  }
  try {
    const auto folder = std::filesystem::path(argv[1]) / "shd";
    std::filesystem::create_directories(folder);
    write(folder / "shd_train.h5", 8156, 1);
    write(folder / "shd_test.h5", 2264, 2);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_speech: %s\n", error.what());
    return 1;
  }
  return 0;
}
