// A tile's lists as bytes, for other ranks: the entry with number i of the tile in step t of sample b is the key
// (b * steps + t) * width + i; of ascending keys the differences are written, seven bits a byte.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/spike_lists.hpp"

namespace tessera::training {

/// Numbers of seven bits a byte.
void put_number(std::uint64_t value, std::vector<std::byte>& bytes);
/// Takes the next one from the front. Throws RunError where there is none.
[[nodiscard]] std::uint64_t take_number(std::span<const std::byte>& bytes);
[[noreturn]] void refuse_lists();

/// Which entries of a section travel.
struct ListKinds {
  bool spikes = true;
  bool others = true;  ///< who only passes gradients
};

/// Appends the spikes of a section, then the others.
void encode_section(const SpikeLists& lists, std::uint32_t section, ListKinds kinds, std::vector<std::byte>& bytes);

/// Fills the recordings of a section with what encode_section() has written: ids, steps, counts. `neurons`: of
/// the section. Without spikes those that are there stay. Throws RunError for bytes that it cannot have written.
void decode_section(std::span<const std::byte> bytes, std::uint32_t section, ListKinds kinds, std::uint32_t neurons,
                    SpikeLists& lists);

}  // namespace tessera::training
