// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/rewirer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

namespace tessera::training {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Whole numbers beyond 2^24 as two floats.
Tensor in_two(std::string name, const std::vector<std::uint32_t>& numbers) {
  Tensor tensor{std::move(name), {numbers.size(), 2}, {}};
  for (const std::uint32_t n : numbers) {
    tensor.values.push_back(static_cast<float>(n >> 16));
    tensor.values.push_back(static_cast<float>(n & 0xffff));
  }
  return tensor;
}

std::vector<std::uint32_t> from_two(const Tensor& tensor) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = 0; i + 1 < tensor.values.size(); i += 2) {
    const float high = tensor.values[i], low = tensor.values[i + 1];
    if (!(high >= 0.0F && high < 65536.0F && low >= 0.0F && low < 65536.0F))
      throw InputError(fmt::format("The training state has a value of '{}' that cannot be.", tensor.name));
    numbers.push_back(static_cast<std::uint32_t>(high) << 16 | static_cast<std::uint32_t>(low));
  }
  return numbers;
}

const Tensor& find(const std::vector<Tensor>& state, const std::string& name, std::size_t values) {
  for (const Tensor& tensor : state) {
    if (tensor.name == name && tensor.values.size() == values) return tensor;
  }
  throw InputError(fmt::format("The training state has no '{}' with {} values.", name, values));
}

}  // namespace

void Rewirer::attach(const std::vector<ParameterArray*>& arrays) {
  parts_.clear();
  for (ParameterArray* array : arrays) {
    if (!array->store) continue;
    const Rewiring& rewiring = *array->store->spec().rewiring;
    Part part{array, make_rule(rewiring), rewiring.interval, {}, 0};
    array->store->set_l1(static_cast<float>(part.rule->l1()));
    if (part.rule->wants_ages()) array->store->keep_ages();
    parts_.push_back(std::move(part));
  }
}

bool Rewirer::due(std::uint64_t batch) const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const Part& p) { return (batch + 1) % p.interval == 0; });
}

bool Rewirer::wants_gradients(std::uint64_t batch) const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const Part& p) {
    return (batch + 1) % p.interval == 0 && p.rule->wants_gradients();
  });
}

RewiredConnection Rewirer::connection_of(Part& part, const Moment& moment) {
  part.array->store->begin_batch();
  RewiredConnection connection(*part.array->store, *part.array);
  connection.batch_ = moment.batch;
  connection.batches_ = moment.batches;
  connection.learning_rate_ = moment.learning_rate;
  return connection;
}

bool Rewirer::before_batch(const Moment& moment) {
  bool resized = false;
  for (Part& part : parts_) {
    if ((moment.batch + 1) % part.interval != 0) continue;
    const std::size_t size = part.array->layout.size;
    RewiredConnection connection = connection_of(part, moment);
    part.rule->before_batch(connection);
    part.probes = std::move(connection.probes_);
    part.refused = connection.refused_;
    resized |= part.array->layout.size != size;
  }
  return resized;
}

bool Rewirer::after_batch(const Moment& moment, BatchResult& result) {
  const Clock::time_point start = Clock::now();
  bool resized = false;
  for (Part& part : parts_) {
    ParameterArray& array = *part.array;
    RewiringCounts counts;
    counts.name = array.name;
    if ((moment.batch + 1) % part.interval == 0) {
      const std::size_t size = array.layout.size;
      RewiredConnection connection = connection_of(part, moment);
      connection.probes_ = std::move(part.probes);
      part.probes.clear();
      connection.take_probes();
      part.rule->rewire(connection);
      counts.eliminated = connection.eliminated_;
      counts.formed = connection.formed_;
      counts.refused = connection.refused_ + part.refused;
      array.store->end_batch(array);
      resized |= array.layout.size != size;
    }
    counts.synapses = array.store->synapses();
    result.rewiring.push_back(std::move(counts));
  }
  result.rewiring_seconds = seconds_since(start);
  return resized;
}

std::vector<Tensor> Rewirer::state() const {
  std::vector<Tensor> state;
  for (const Part& part : parts_) {
    const ParameterArray& array = *part.array;
    state.push_back(in_two(array.name + ".free_slots", array.store->gaps()));
    if (part.rule->wants_ages()) {
      std::vector<std::uint32_t> born(array.elements);
      array.store->for_each([&](std::size_t i, std::size_t slot) { born[i] = array.store->born()[slot]; });
      state.push_back(in_two(array.name + ".born", born));
    }
    std::vector<float> own = part.rule->state();
    if (!own.empty()) state.push_back({array.name + ".rule", {own.size()}, std::move(own)});
  }
  return state;
}

void Rewirer::check_state(const std::vector<Tensor>& state) const {
  for (const Part& part : parts_) {
    const ParameterArray& array = *part.array;
    const auto gaps = from_two(find(state, array.name + ".free_slots", 2 * array.store->rows()));
    const auto free = std::accumulate(gaps.begin(), gaps.end(), std::uint64_t{0});
    if (free + array.elements > 0xffffffffU)
      throw InputError(fmt::format("The training state has a value of '{}.free_slots' that cannot be.", array.name));
    if (part.rule->wants_ages()) (void)from_two(find(state, array.name + ".born", 2 * array.elements));
  }
}

void Rewirer::set_state(const std::vector<Tensor>& state) {
  for (Part& part : parts_) {
    ParameterArray& array = *part.array;
    array.store->set_gaps(array, from_two(find(state, array.name + ".free_slots", 2 * array.store->rows())));
    if (part.rule->wants_ages()) {
      const auto ages = from_two(find(state, array.name + ".born", 2 * array.elements));
      std::vector<std::uint32_t> born(array.store->capacity());
      array.store->for_each([&](std::size_t i, std::size_t slot) { born[slot] = ages[i]; });
      array.store->set_born(std::move(born));
    }
    for (const Tensor& tensor : state) {
      if (tensor.name == array.name + ".rule") part.rule->set_state(tensor.values);
    }
  }
}

}  // namespace tessera::training
