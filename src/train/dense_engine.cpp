// The dense strategy: blocked matrices and BLAS. Copyright 2026 The Tessera authors.
// SPDX-License-Identifier: Apache-2.0
#include "train/engine.hpp"

namespace tessera::training {
std::string dense_obstacle(const Network&) { return "The dense strategy is not built yet."; }
std::unique_ptr<Engine> make_dense_engine(const Network& network, const Loss&, const std::vector<LayerTopology>&) {
  throw InputError(dense_obstacle(network));
}
}  // namespace tessera::training
