// Variations of training samples, as events or as images.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/random.hpp"
#include "data/source.hpp"
#include "tessera/data.hpp"

namespace tessera::training {

/// Time skew, jitter and crop, in this order. Events that come to lie before the start are dropped.
void vary_times(const AugmentationSpec& spec, RandomStream& random, Events& events);
/// Rotation about the centre, then a shift; what leaves the shape is dropped. Rotation needs two
/// dimensions; a shape of height 1 is shifted along its width only.
void vary_places(const AugmentationSpec& spec, const Shape& shape, RandomStream& random,
                 Events& events);
/// The same for an image: bilinear interpolation, 0 outside.
void vary_image(const AugmentationSpec& spec, const Shape& shape, RandomStream& random,
                std::vector<float>& values);
/// Adds the events of `other`, moved to the mean time and mean place of `events`, and keeps each
/// event of both with probability 1/2. For shapes of height 1.
void blend(const Events& other, const Shape& shape, RandomStream& random, Events& events);

}  // namespace tessera::training
