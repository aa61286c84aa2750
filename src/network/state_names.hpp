// Names of states that every neuron has beside those of its model.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera {

/// What is left of a neuron's refractory time (ms), among initial values and states.
inline constexpr const char* kRefractoryState = "refractory";

}  // namespace tessera
