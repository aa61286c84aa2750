// The module tessera._core.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "bindings.hpp"

NB_MODULE(_core, m) {
  m.doc() = "The compiled part of tessera. Use the package's own functions.";
  using namespace tessera::python;
  bind_errors(m);
  bind_catalogue(m);
  bind_network(m);
  bind_simulation(m);
  bind_live(m);
  bind_structural(m);
  bind_results(m);
  bind_training(m);
  bind_formats(m);
  bind_training_checkpoint(m);
  bind_batches(m);
}
