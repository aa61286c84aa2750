// A number that tells one data set from another: labels and encoded samples.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "tessera/data.hpp"

namespace tessera::training {
namespace {

constexpr std::size_t kMostRead = 1000;  // samples: a fraction of a second for all sets but sound

class Fnv {
 public:
  void add(std::uint64_t word) {
    for (int byte = 0; byte < 8; ++byte, word >>= 8)
      hash_ = (hash_ ^ (word & 0xff)) * 0x100000001b3ull;
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ull;
};

}  // namespace

std::uint64_t data_digest(const SpikeDataset& dataset) {
  Fnv hash;
  const Shape shape = dataset.shape();
  const std::size_t size = dataset.size();
  for (const std::uint64_t word :
       {std::uint64_t{size}, std::uint64_t{dataset.classes()}, std::uint64_t{dataset.steps()},
        std::uint64_t{shape.height}, std::uint64_t{shape.width}, std::uint64_t{shape.channels}}) {
    hash.add(word);
  }
  for (std::size_t i = 0; i < size; ++i) hash.add(static_cast<std::uint32_t>(dataset.label(i)));
  const std::size_t read = std::min(size, kMostRead);
  SpikeSample sample;
  for (std::size_t k = 0; k < read; ++k) {
    dataset.read(k * size / read, kUnvaried, sample);  // evenly spread
    for (const std::uint32_t first : sample.first) hash.add(first);
    for (const std::uint32_t channel : sample.channel) hash.add(channel);
    for (const float x : sample.target) hash.add(std::bit_cast<std::uint32_t>(x));
  }
  return hash.value();
}

}  // namespace tessera::training
