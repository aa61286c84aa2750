// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/training_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cli/text.hpp"

namespace tessera::cli {

using namespace training;

SampleRaster raster_of(Trainer& trainer, const SpikeDataset& data, std::size_t index) {
  std::vector<SpikeSample> samples(1);
  data.read(index, 0, samples[0]);
  SpikeBatch batch;
  const auto channels = static_cast<std::uint32_t>(data.shape().size());
  make_batch(samples, channels, data.steps(), batch);
  const BatchResult result = trainer.evaluate(batch);
  SampleRaster raster;
  raster.label = samples[0].label;
  raster.prediction = result.prediction.at(0);
  SampleRaster::Layer input{"input", channels, {}};
  for (std::uint32_t step = 0; step < data.steps(); ++step) {
    for (std::uint32_t i = samples[0].first[step]; i < samples[0].first[step + 1]; ++i)
      input.spikes.push_back({step, samples[0].channel[i]});
  }
  raster.layers.push_back(std::move(input));
  const training::Network& network = trainer.network();
  const std::vector<Shape> shapes = layer_shapes(network);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].neuron == NeuronKind::readout) continue;
    raster.layers.push_back({network.layers[i].name, shapes[i].size(), trainer.spikes(i, 0)});
  }
  return raster;
}

std::string layer_table(const training::Network& network,
                        const std::vector<LayerActivity>& layers) {
  const std::vector<Shape> shapes = layer_shapes(network);
  Table table({"layer", "neuron", "neurons", "spiking (%)", "listed (%)", "dropped spikes",
               "dropped gradients", "silent"},
              2);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    std::vector<std::string> row = {layer.name, to_string(layer.neuron), grouped(shapes[i].size())};
    const auto found = std::find_if(layers.begin(), layers.end(),
                                    [&](const LayerActivity& a) { return a.name == layer.name; });
    if (found != layers.end()) {
      const auto steps = static_cast<double>(found->neuron_steps);
      row.push_back(number_text(100.0 * static_cast<double>(found->spikes) / steps, 2));
      row.push_back(number_text(100.0 * static_cast<double>(found->listed) / steps, 2));
      row.push_back(grouped(found->dropped_spikes));
      row.push_back(grouped(found->dropped_gradients));
      row.push_back(grouped(found->silent_neurons));
    }
    table.row(row);
  }
  return table.text();
}

std::string class_table(const EvaluationResult& result, const std::vector<std::string>& names) {
  Table table({"class", "samples", "correct (%)", "most often taken for"});
  for (std::size_t label = 0; label < result.confusion.size(); ++label) {
    const std::vector<std::uint64_t>& row = result.confusion[label];
    const std::uint64_t samples = std::accumulate(row.begin(), row.end(), std::uint64_t{0});
    std::size_t other = label;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != label && row[i] > 0 && (other == label || row[i] > row[other])) other = i;
    }
    const double share = 100.0 * static_cast<double>(row[label]) / static_cast<double>(samples);
    table.row({names.at(label), grouped(samples), number_text(share, 2),
               other == label ? "" : fmt::format("{} ({})", names.at(other), row[other])});
  }
  return table.text();
}

}  // namespace tessera::cli
