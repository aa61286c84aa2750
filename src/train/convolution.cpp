// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/convolution.hpp"

#include <utility>

namespace tessera::training {
namespace {

std::size_t kernel_rows(const Projection& p) {
  return std::size_t{p.pooled.channels} * p.spec.kernel * p.spec.kernel;
}

}  // namespace

Convolution::Convolution(const Projection& projection, std::string name)
    : projection_(projection),
      stride_(static_cast<std::uint32_t>(padded(projection.spec.filters))),
      array_(std::move(name),
             {projection.pooled.channels, projection.spec.kernel, projection.spec.kernel,
              projection.spec.filters},
             ArrayLayout::tiled(kernel_rows(projection), projection.spec.filters, stride_)) {
  array_.decays = true;
  find_windows();
}

void Convolution::find_windows() {
  const Connection& spec = projection_.spec;
  const Shape& in = projection_.pooled;
  const Shape& out = projection_.target;
  first_.push_back(0);
  for (std::uint32_t source = 0; source < in.size(); ++source) {
    const std::uint32_t channel = source % in.channels, pixel = source / in.channels;
    const std::uint32_t y = pixel / in.width, x = pixel % in.width;
    for (std::uint32_t dy = 0; dy < spec.kernel; ++dy) {
      const std::int64_t oy = topology_detail::output_coordinate(y, dy, spec, out.height);
      for (std::uint32_t dx = 0; oy >= 0 && dx < spec.kernel; ++dx) {
        const std::int64_t ox = topology_detail::output_coordinate(x, dx, spec, out.width);
        if (ox < 0) continue;
        const auto target = static_cast<std::uint32_t>(oy * out.width + ox) * spec.filters;
        windows_.push_back({target, ((channel * spec.kernel + dy) * spec.kernel + dx) * stride_});
      }
    }
    first_.push_back(static_cast<std::uint32_t>(windows_.size()));
  }
}

void Convolution::add(const std::uint16_t* ids, std::size_t n, float* current) const {
  for (std::size_t k = 0; k < n; ++k) {
    const std::uint32_t source = projection_.pooled_of(ids[k]);
    if (source == not_pooled) continue;
    add_windows(array_.value.data(), projection_.spec.filters, windows_.data() + first_[source],
                first_[source + 1] - first_[source], projection_.scale, current);
  }
}

void Convolution::backward(const std::uint16_t* ids, std::size_t spikes, std::size_t n,
                           const float* g, float* ds, float* gradient) const {
  const std::uint32_t filters = projection_.spec.filters;
  for (std::size_t k = 0; k < n; ++k) {
    if (ds != nullptr) ds[k] = 0.0f;
    const std::uint32_t source = projection_.pooled_of(ids[k]);
    if (source == not_pooled) continue;
    const Window* windows = windows_.data() + first_[source];
    const std::size_t count = first_[source + 1] - first_[source];
    if (ds != nullptr) {
      ds[k] = projection_.scale * window_dots(array_.value.data(), filters, windows, count, g);
    }
    if (k < spikes) window_gradients(gradient, filters, windows, count, projection_.scale, g);
  }
}

}  // namespace tessera::training
