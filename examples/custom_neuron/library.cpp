// The neuron model as a shared library, which programs load by its path.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <tessera/models_library.hpp>

#include "my_neuron.hpp"

TESSERA_MODELS_LIBRARY([](tessera::ModelsSink& models) { models.add(my_neuron::model()); })
