// What every communicator has to do, whatever is below it: a program of a few calls that each rank runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tessera/communicator.hpp"

namespace tessera::test {

/// `length` bytes that tell who made them in which round.
inline std::vector<std::byte> bytes_of(int rank, int round, std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::byte>((static_cast<std::size_t>(rank) * 31 + static_cast<std::size_t>(round) * 7 + i) % 251);
  }
  return bytes;
}

inline bool same(std::span<const std::byte> a, const std::vector<std::byte>& b) {
  return std::vector<std::byte>(a.begin(), a.end()) == b;
}

/// Lengths that differ between ranks and rounds; 0 is among them.
inline std::size_t length_of(int rank, int round) {
  return static_cast<std::size_t>((rank * 13 + round * 29) % 7) * 40;
}

constexpr std::size_t kTold = 150;  ///< bytes of a broadcast: pieces of 7, and 3 more

/// Runs all calls with all ranks; gives what went wrong on this rank, a line each.
inline std::string check_all_calls(Communicator& ranks, int rounds) {
  const int self = ranks.rank(), size = ranks.size();
  std::string wrong;
  const auto expect = [&](bool right, const std::string& what) {
    if (!right) wrong += "rank " + std::to_string(self) + ": " + what + "\n";
  };
  Gathered all;
  for (int round = 0; round < rounds; ++round) {
    const std::string at = " in round " + std::to_string(round);
    ranks.enter("test", round);
    const std::vector<std::byte> mine = bytes_of(self, round, length_of(self, round));
    ranks.all_gather(mine, all);
    expect(all.begin.size() == static_cast<std::size_t>(size) + 1, "all_gather has another number of parts" + at);
    for (int r = 0; r < size; ++r) expect(same(all.of(r), bytes_of(r, round, length_of(r, round))), "all_gather" + at);

    const int root = round % size;
    ranks.gather(mine, root, all);
    if (self != root) expect(all.bytes.empty(), "gather gave something to another rank" + at);
    for (int r = 0; self == root && r < size; ++r)
      expect(same(all.of(r), bytes_of(r, round, length_of(r, round))), "gather" + at);

    std::vector<std::byte> told = self == root ? bytes_of(root, round, kTold) : std::vector<std::byte>(3);
    ranks.broadcast(told, root);
    expect(told == bytes_of(root, round, kTold), "broadcast" + at);

    const auto n = static_cast<std::uint64_t>(size);
    std::vector<std::uint64_t> whole{static_cast<std::uint64_t>(self), 1, ~0ull};
    ranks.all_reduce(whole, Reduction::sum);
    expect(whole == std::vector<std::uint64_t>{n * (n - 1) / 2, n, 0ull - n}, "sum" + at);
    std::vector<double> real{0.5 * self, -1.0};
    ranks.all_reduce(real, Reduction::most);
    expect(real == std::vector<double>{0.5 * (size - 1), -1.0}, "most" + at);
    std::vector<std::uint64_t> least{static_cast<std::uint64_t>(self) + 5};
    ranks.all_reduce(least, Reduction::least);
    expect(least[0] == 5, "least" + at);
    ranks.barrier();

    // Everybody sends to those above it, and hears from those below it.
    std::vector<std::vector<std::byte>> contents;
    std::vector<Parcel> parcels;
    std::vector<int> from;
    for (int r = self + 1; r < size; ++r) contents.push_back(bytes_of(self, round + r, length_of(r, round)));
    for (int r = self + 1; r < size; ++r) parcels.push_back({r, contents[static_cast<std::size_t>(r - self - 1)]});
    for (int r = self - 1; r >= 0; --r) from.push_back(r);
    ranks.start_exchange(parcels, from);
    ranks.finish_exchange(all);
    expect(all.begin.size() == from.size() + 1, "exchange has another number of parts" + at);
    for (std::size_t i = 0; i < from.size(); ++i) {
      expect(same(all.of(static_cast<int>(i)), bytes_of(from[i], round + self, length_of(self, round))),
             "exchange" + at);
    }
  }
  return wrong;
}

}  // namespace tessera::test
