// Rows whose weights stay as they are: the kernels of rules with an `efficacy`.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plasticity/plastic_row.hpp"

namespace tessera {

void transmit_row(PlasticRow<float>& row);
void transmit_row(PlasticRow<double>& row);

}  // namespace tessera
