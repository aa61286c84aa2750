// Which synapses of a chunk must not stay so that every target has its fixed in-degree, and which come in
// their place.
//
// Every synapse that is drawn has a source of its own, evenly among all. A target drops what repeats one of
// its sources (where the rule has no multapses) or is its own (no autapses), drops sources at random while it
// has too many, and draws sources, each until it is a new one, while it has too few. What is kept and what is
// drawn depends only on which sources are equal, never on which they are, so all sets of sources of a target
// that can be renamed into each other, and these are all sets, are equally likely; and no target knows of
// another but by the number of its draws, on which its set does not depend.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "base/random.hpp"
#include "connectivity/exceptions.hpp"

namespace tessera {

/// Draws of a source, one after the other: targets 0 .. targets-1 of the chunk (chunks are below 2^16).
struct DrawnTargets {
  const std::uint16_t* targets = nullptr;
  std::uint32_t n = 0;
};

struct IndegreeChunk {
  RandomKey key;
  std::uint32_t stream = 0;  ///< key of the bundle
  std::uint32_t sources = 0, targets = 0;
  std::uint32_t degree = 0;
  bool multapses = true;
  bool exact = false;           ///< every target has `degree` draws already
  bool no_self = false;         ///< source first_target + t must not connect to target t
  std::uint32_t first_target = 0;
  /// The draws of any source; valid until the next call. Sources are asked for in ascending order, several times.
  std::function<DrawnTargets(std::uint32_t source)> draws;
};
[[nodiscard]] Exceptions find_exceptions(const IndegreeChunk& chunk);

}  // namespace tessera
