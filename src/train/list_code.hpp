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

/// Appends the spikes of a section, then, with `others`, those entries.
void encode_section(const SpikeLists& lists, std::uint32_t section, bool others, std::vector<std::byte>& bytes);

/// Fills the recordings of a section with what encode_section() has written: ids, steps, counts. `neurons`: of
/// the section. Throws RunError for bytes that it cannot have written.
void decode_section(std::span<const std::byte> bytes, std::uint32_t section, bool others, std::uint32_t neurons,
                    SpikeLists& lists);

}  // namespace tessera::training
