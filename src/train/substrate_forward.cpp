// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/substrate_forward.hpp"

#include <algorithm>
#include <cmath>

namespace tessera::training {
namespace {

constexpr std::size_t kPiece = 1 << 15;  // weights that a worker maps in one go

}  // namespace

SubstrateForward::SubstrateForward(const Network& network, const std::vector<LayerTopology>& topology,
                                   const Substrate& substrate, std::vector<SparseLayer>& layers)
    : network_(&network),
      substrate_(&substrate),
      layers_(&layers),
      on_chip_(layers.size()),
      factors_(layers.size(), 1.0F) {
  for (std::size_t k = 0; k < layers.size(); ++k) {
    if (!network.layers[k].on_substrate) continue;
    on_chip_[k] = std::make_unique<SubstrateLayer>(network, static_cast<std::uint32_t>(k), topology[k], substrate, batch_);
    layers[k].set_runner(on_chip_[k].get());
    if (substrate.machine.weights.bits == 0) continue;
    for (ParameterArray* array : layers[k].arrays()) {
      const bool recurrent = array->name.ends_with(".recurrent_weight");
      if (recurrent || array->name.ends_with(".weight")) mapped_.push_back({k, recurrent, array, {}, {}, {}, false});
    }
  }
}

void SubstrateForward::map(Mapped& m) {
  const std::size_t n = m.array->value.size();
  float largest = 0.0F;
  const bool stated = network_->layers[m.layer].weight_limit > 0.0;
  for (std::size_t i = 0; !stated && i < n; ++i) largest = std::max(largest, std::abs(m.array->value[i]));
  m.map = weight_map_of(network_->layers[m.layer], substrate_->machine.weights, largest);
  SubstrateLayer& layer = *on_chip_[m.layer];
  (m.recurrent ? layer.recurrent_map : layer.input_map) = m.map;
  if (m.other.size() == n) return;
  m.other = AlignedArray<float>(n);
  m.slope = AlignedArray<float>(n);
}

void SubstrateForward::begin(Worker& worker, substrate::RunNumber run, std::uint32_t samples, std::uint32_t steps) {
  worker.once([&] {
    batch_.run = run;
    batch_.largest_part = batch_.all_parts = 0;
    batch_.parts = 0;
    const substrate::EventLinks links =
        substrate::links_of(substrate_->machine.events, chip_step_us(*network_, substrate_->machine));
    batch_.traffic.clear(substrate_->partition.runs.size(), std::size_t{samples} * steps, links.in.most > 0,
                         links.out.most > 0);
    for (Mapped& m : mapped_) map(m);
  });
  for (Mapped& m : mapped_) {
    const std::size_t n = m.other.size();
    worker.each((n + kPiece - 1) / kPiece, [&](std::size_t job) {
      const std::size_t at = job * kPiece, size = std::min(kPiece, n - at);
      m.map.apply(m.array->value.data() + at, size, m.other.data() + at, m.slope.data() + at);
    });
  }
  worker.once([&] {
    for (Mapped& m : mapped_) change(m);
  });
}

void SubstrateForward::change(Mapped& m) {
  std::swap(m.array->value, m.other);
  m.is_mapped = !m.is_mapped;
}

void SubstrateForward::end(Worker& worker, bool gradients) {
  for (Mapped& m : mapped_) {
    const std::size_t n = m.other.size();
    worker.each(gradients ? (n + kPiece - 1) / kPiece : 0, [&](std::size_t job) {
      const std::size_t at = job * kPiece, size = std::min(kPiece, n - at);
      float* const gradient = m.array->gradient.data() + at;
      const float* const slope = m.slope.data() + at;
      for (std::size_t i = 0; i < size; ++i) gradient[i] *= slope[i];
    });
  }
  worker.once([&] { restore(); });
}

void SubstrateForward::restore() {
  for (Mapped& m : mapped_) {
    if (m.is_mapped) change(m);
  }
}

std::vector<LinkActivity> SubstrateForward::links() const {
  std::vector<LinkActivity> all;
  for (const auto& layer : on_chip_) {
    if (layer == nullptr) continue;
    for (LinkActivity& link : layer->links()) all.push_back(std::move(link));
  }
  return all;
}

void SubstrateForward::set_factors(const std::vector<float>& factors) {
  factors_ = factors;
  for (std::size_t k = 0; k < on_chip_.size(); ++k) {
    if (on_chip_[k] != nullptr) on_chip_[k]->weight_factor = factors_[k];
  }
}

std::vector<double> SubstrateForward::calibrate() {
  std::vector<double> factors(on_chip_.size(), 1.0);
  for (std::size_t k = 0; k < on_chip_.size(); ++k) {
    if (on_chip_[k] != nullptr) factors[k] = on_chip_[k]->measure((*layers_)[k].constants());
  }
  set_factors({factors.begin(), factors.end()});
  return factors;
}

}  // namespace tessera::training
