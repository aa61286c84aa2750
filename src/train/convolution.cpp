// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/convolution.hpp"

#include <algorithm>
#include <utility>

namespace tessera::training {
namespace {

std::uint32_t padded(std::uint32_t n) { return (n + 15) / 16 * 16; }

std::size_t kernel_rows(const Projection& p) {
  return std::size_t{p.pooled.channels} * p.spec.kernel * p.spec.kernel;
}

}  // namespace

Convolution::Convolution(const Projection& projection, std::string name)
    : projection_(projection),
      stride_(padded(projection.spec.filters)),
      array_(std::move(name),
             {projection.pooled.channels, projection.spec.kernel, projection.spec.kernel,
              projection.spec.filters},
             ArrayLayout::tiled(kernel_rows(projection), projection.spec.filters, stride_)) {
  array_.decays = true;
}

template <class Visit>
void Convolution::each_window(std::uint16_t id, const Visit& visit) const {
  const Connection& spec = projection_.spec;
  const std::uint32_t pooled = projection_.pooled_of(id);
  if (pooled == not_pooled) return;
  const std::uint32_t channel = pooled % projection_.pooled.channels;
  const std::uint32_t pixel = pooled / projection_.pooled.channels;
  const std::uint32_t y = pixel / projection_.pooled.width, x = pixel % projection_.pooled.width;
  for (std::uint32_t dy = 0; dy < spec.kernel; ++dy) {
    const std::int64_t oy =
        topology_detail::output_coordinate(y, dy, spec, projection_.target.height);
    if (oy < 0) continue;
    for (std::uint32_t dx = 0; dx < spec.kernel; ++dx) {
      const std::int64_t ox =
          topology_detail::output_coordinate(x, dx, spec, projection_.target.width);
      if (ox < 0) continue;
      visit(static_cast<std::size_t>(oy * projection_.target.width + ox) * spec.filters,
            ((std::size_t{channel} * spec.kernel + dy) * spec.kernel + dx) * stride_);
    }
  }
}

void Convolution::add(const std::uint16_t* ids, std::size_t n, float* current) const {
  const float* weights = array_.value.data();
  const std::uint32_t filters = projection_.spec.filters;
  const float scale = projection_.scale;
  for (std::size_t k = 0; k < n; ++k) {
    each_window(ids[k], [&](std::size_t target, std::size_t row) {
      for (std::uint32_t f = 0; f < filters; ++f) current[target + f] += scale * weights[row + f];
    });
  }
}

void Convolution::backward(const std::uint16_t* ids, std::size_t spikes, std::size_t n,
                           const float* g, float* ds, float* gradient) const {
  const float* weights = array_.value.data();
  const std::uint32_t filters = projection_.spec.filters;
  const float scale = projection_.scale;
  for (std::size_t k = 0; k < n; ++k) {
    float sum = 0.0f;
    each_window(ids[k], [&](std::size_t target, std::size_t row) {
      // Eight partial sums, so that the compiler may keep them in one register.
      float part[8] = {};
      std::uint32_t f = 0;
      for (; f + 8 <= filters; f += 8) {
        for (std::uint32_t l = 0; l < 8; ++l) part[l] += weights[row + f + l] * g[target + f + l];
      }
      for (; f < filters; ++f) part[0] += weights[row + f] * g[target + f];
      for (const float x : part) sum += x;
      if (k < spikes) {
        for (f = 0; f < filters; ++f) gradient[row + f] += scale * g[target + f];
      }
    });
    if (ds != nullptr) ds[k] = scale * sum;
  }
}

}  // namespace tessera::training
