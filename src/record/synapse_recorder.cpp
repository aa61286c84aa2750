// Writes the synapses of plastic projections in large pieces.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "results/sinks.hpp"
#include "tessera/result.hpp"

namespace tessera {
namespace {

constexpr std::size_t kBufferedSynapses = 32768;

}  // namespace

struct SynapseRecorder::Impl {
  std::vector<std::string> names;
  std::vector<std::vector<ConnectivityRule::Synapse>> buffers;
  std::unique_ptr<io::EdgeSink> sink;

  void flush(std::size_t projection) {
    if (!buffers[projection].empty()) sink->append(projection, buffers[projection]);
    buffers[projection].clear();
  }
};

SynapseRecorder::SynapseRecorder(const std::filesystem::path& folder, const Network& network, const NeuronCatalogue& models)
    : impl_(std::make_unique<Impl>()) {
  std::vector<io::EdgePopulation> populations;
  for (const Projection& p : network.projections) {
    if (!p.plasticity) continue;
    const NeuronModel* model = models.find(network.find(p.target)->model);
    populations.push_back({p.name, p.source, p.target, model == nullptr ? "" : model->weight_unit});
    impl_->names.push_back(p.name);
  }
  impl_->buffers.resize(populations.size());
  impl_->sink = io::make_edge_sink(folder, populations);
}

SynapseRecorder::~SynapseRecorder() = default;

const std::vector<std::string>& SynapseRecorder::projections() const noexcept { return impl_->names; }

void SynapseRecorder::add(std::size_t projection, std::span<const ConnectivityRule::Synapse> synapses) {
  std::vector<ConnectivityRule::Synapse>& buffer = impl_->buffers.at(projection);
  buffer.insert(buffer.end(), synapses.begin(), synapses.end());
  if (buffer.size() >= kBufferedSynapses) impl_->flush(projection);
}

std::vector<std::string> SynapseRecorder::finish() {
  for (std::size_t p = 0; p < impl_->buffers.size(); ++p) impl_->flush(p);
  return impl_->sink->finish();
}

}  // namespace tessera
