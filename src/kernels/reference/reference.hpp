// Sequential kernels that read like their definitions: the oracle of every vector kernel, and what runs
// where no vector target is available or "scalar" is forced.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/poisson.hpp"

namespace tessera::reference {

std::size_t draw_words(const DrawQueue& queue, RandomKey key, const std::int32_t* weights,
                       std::uint32_t* out);
void split_delays(RandomKey key, std::uint32_t source, std::uint32_t stream, std::uint32_t n,
                  const std::uint16_t* thresholds, std::size_t groups, std::uint32_t* counts);
void draw_poisson(const PoissonTable& table, const PoissonStream& stream, std::size_t count,
                  std::int32_t* counts);

}  // namespace tessera::reference
