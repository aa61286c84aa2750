// What training and evaluating share: the spikes of one sample, tables for the terminal.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tessera/training_result.hpp"

namespace tessera::cli {

/// Runs one sample through the network and collects the spikes of the input and of all layers.
[[nodiscard]] training::SampleRaster raster_of(training::Trainer& trainer,
                                               const training::SpikeDataset& data,
                                               std::size_t index);

/// Activity of every spiking layer as a table; what was dropped where something was.
[[nodiscard]] std::string layer_table(const training::Network& network,
                                      const std::vector<training::LayerActivity>& layers);

/// Samples, correct ones and the commonest mistake, class by class.
[[nodiscard]] std::string class_table(const training::EvaluationResult& result,
                                      const std::vector<std::string>& names);

}  // namespace tessera::cli
