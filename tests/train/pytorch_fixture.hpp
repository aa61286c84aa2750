// Networks whose gradients were computed with PyTorch's autograd (pytorch/make_fixture.py).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::training::test {

struct PytorchCase {
  Network network;
  Loss loss;
  SpikeBatch batch;
  std::vector<Tensor> parameters;  ///< in the order of initial_parameters()
  double expected_loss = 0.0;
  double expected_regulariser = 0.0;
  std::vector<std::int32_t> expected_prediction;
  std::vector<std::uint64_t> expected_spikes;           ///< of every spiking layer
  std::vector<double> expected_output;                  ///< [steps][samples][classes]
  std::vector<std::vector<double>> expected_gradients;  ///< in the order of the parameters
};

[[nodiscard]] std::vector<PytorchCase> read_pytorch_cases();

}  // namespace tessera::training::test
