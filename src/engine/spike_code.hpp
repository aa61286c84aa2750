// Spike lists as bytes. A spike is the key step * neurons + number, counted from the first step of the list; a
// list is the difference of each key to the one before (to 0 for the first), zigzag: 0, -1, 1, -2 ... are
// 0, 1, 2, 3 ..., seven bits a byte, the lowest first, the top bit set in all but the last byte. Neurons spike in
// ascending order on a tile, so a spike takes one byte where every 64th neuron spikes in a step, two up to every
// 8,192th, three up to every 1,048,576th. No list has a header: steps without spikes take nothing.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tessera {

/// Writes one list.
class SpikeWriter {
 public:
  explicit SpikeWriter(std::uint64_t neurons = 1) : neurons_(neurons) {}
  void clear(std::uint64_t neurons) {
    neurons_ = neurons;
    last_ = 0;
    bytes_.clear();
  }
  void put(std::uint64_t step, std::uint64_t number) {
    const auto key = static_cast<std::int64_t>(step * neurons_ + number);
    const std::int64_t difference = key - last_;
    last_ = key;
    auto code = static_cast<std::uint64_t>(difference) << 1 ^ static_cast<std::uint64_t>(difference >> 63);
    for (; code >= 0x80; code >>= 7) bytes_.push_back(static_cast<std::byte>(code | 0x80));
    bytes_.push_back(static_cast<std::byte>(code));
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  /// Gives back what an unusual burst took.
  void settle() {
    if (bytes_.capacity() > 4 * bytes_.size() + 4096) bytes_.shrink_to_fit();
  }

 private:
  std::uint64_t neurons_;
  std::int64_t last_ = 0;
  std::vector<std::byte> bytes_;
};

/// Calls take(step, number) for every spike of a list. False: the bytes are no list of these steps and neurons.
template <class Take>
[[nodiscard]] bool read_spikes(std::span<const std::byte> bytes, std::uint64_t steps, std::uint64_t neurons,
                               const Take& take) {
  std::uint64_t key = 0, step = 0, begin = 0;  // begin: the key of the step's first neuron
  for (std::size_t i = 0; i < bytes.size();) {
    std::uint64_t code = 0;
    for (int shift = 0;; shift += 7) {
      if (i == bytes.size() || shift > 63) return false;
      const auto byte = static_cast<std::uint64_t>(bytes[i++]);
      code |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    key += code >> 1 ^ (~(code & 1) + 1);
    if (key < begin || key - begin >= neurons) {
      step = neurons > 0 ? key / neurons : steps;
      if (step >= steps) return false;
      begin = step * neurons;
    }
    take(step, key - begin);
  }
  return true;
}

}  // namespace tessera
