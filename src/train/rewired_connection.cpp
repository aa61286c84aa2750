// What a rule sees and does.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/parameter_array.hpp"
#include "train/synapse_store.hpp"

namespace tessera::training {
namespace {

// A pair drawn at random is seldom taken; where nearly all are, the free ones are counted instead.
constexpr int kTries = 64;
constexpr std::uint32_t kDelayStream = 0xffffffff;

}  // namespace

std::uint32_t RuleRandom::next() {
  if (used_ == 4) {
    words_ = random_words(RandomKey(seed_), static_cast<Purpose>(purpose_), index_++, a_, b_);
    used_ = 0;
  }
  return words_[used_++];
}

std::uint32_t RuleRandom::below(std::uint32_t n) {
  std::uint64_t product = std::uint64_t{next()} * n;  // Lemire, see RandomStream
  for (const std::uint32_t reject = (0U - n) % n; static_cast<std::uint32_t>(product) < reject;)
    product = std::uint64_t{next()} * n;
  return static_cast<std::uint32_t>(product >> 32);
}

double RuleRandom::uniform() {
  const std::uint64_t high = next();
  return static_cast<double>((high << 32 | next()) >> 11) * 0x1p-53;
}

double RuleRandom::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2.0 * std::log((next() + 1.0) * 0x1p-32));
  const double angle = 2.0 * std::numbers::pi * next() * 0x1p-32;
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

RewiredConnection::RewiredConnection(SynapseStore& store, ParameterArray& array)
    : store_(&store),
      array_(&array),
      sources_(store.sources()),
      targets_(store.targets()),
      width_(store.width()),
      rows_(store.rows()) {
  refresh();
}

void RewiredConnection::refresh() {
  spans_ = store_->all_spans().data();
  slots_ = store_->slots().data();
  weights_ = array_->value.data();
  gradients_ = array_->gradient.data();
  born_ = store_->born().empty() ? nullptr : store_->born().data();
}

std::uint64_t RewiredConnection::synapses() const { return store_->synapses(); }
double RewiredConnection::density() const { return store_->spec().density; }

bool RewiredConnection::connected(std::uint32_t source, std::uint32_t target) const {
  return source < sources_ && target < targets_ && store_->connected(source, target);
}

float RewiredConnection::sign(std::uint32_t source, std::uint32_t target) const {
  return store_->inhibitory(source, target) ? -1.0F : 1.0F;
}

RuleRandom RewiredConnection::random(std::uint32_t stream) const {
  RuleRandom random;
  random.seed_ = store_->seed();
  random.purpose_ = static_cast<std::uint32_t>(round_of(Purpose::rewiring, store_->connection()));
  random.a_ = static_cast<std::uint32_t>(batch_);
  random.b_ = stream;
  return random;
}

bool RewiredConnection::put(std::uint32_t source, std::uint32_t target, float weight) {
  if (source >= sources_ || target >= targets_) return false;
  const Connection& spec = store_->spec();
  std::uint32_t delay = spec.min_delay;
  if (spec.max_delay > spec.min_delay) {
    RuleRandom draw = random(kDelayStream);
    draw.index_ = source * targets_ + target;  // as often as a pair is formed in a batch: once
    delay += draw.below(spec.max_delay - spec.min_delay + 1);
  }
  const bool added = store_->add(*array_, source, target, weight, delay, static_cast<std::uint32_t>(batch_ + 1));
  refresh();
  return added;
}

bool RewiredConnection::add(std::uint32_t source, std::uint32_t target, float weight) {
  const bool added = put(source, target, weight);
  ++(added ? formed_ : refused_);
  return added;
}

bool RewiredConnection::probe(std::uint32_t source, std::uint32_t target) {
  if (!put(source, target, 0.0F)) {
    ++refused_;
    return false;
  }
  probes_.push_back({source, target, 0.0F});
  return true;
}

bool RewiredConnection::draw_absent(RuleRandom& random, std::uint32_t& source, std::uint32_t& target) const {
  if (synapses() >= pairs()) return false;
  for (int k = 0; k < kTries; ++k) {
    source = random.below(sources_);
    target = random.below(targets_);
    if (!store_->connected(source, target)) return true;
  }
  auto rank = static_cast<std::uint64_t>(random.uniform() * static_cast<double>(pairs() - synapses()));
  for (source = 0;; ++source) {
    const std::uint32_t free = targets_ - store_->out_degree(source);
    if (rank < free) break;
    rank -= free;
  }
  target = store_->absent_target(source, static_cast<std::uint32_t>(rank));
  return true;
}

std::size_t RewiredConnection::add_uniformly(std::size_t n, RuleRandom& random, float weight_by_sign) {
  for (std::size_t k = 0; k < n; ++k) {
    std::uint32_t source = 0, target = 0;
    if (!draw_absent(random, source, target)) return k;
    add(source, target, weight_by_sign == 0.0F ? 0.0F : weight_by_sign * sign(source, target));
  }
  return n;
}

std::size_t RewiredConnection::probe_uniformly(std::size_t n, RuleRandom& random) {
  for (std::size_t k = 0; k < n; ++k) {
    std::uint32_t source = 0, target = 0;
    if (!draw_absent(random, source, target)) return k;
    probe(source, target);
  }
  return n;
}

std::size_t RewiredConnection::add_by_row(std::size_t n, RuleRandom& random) {
  for (std::size_t k = 0; k < n; ++k) {
    if (synapses() >= pairs()) return k;
    std::uint32_t source = 0, free = 0;
    while (free == 0) {  // a full row is drawn again
      source = random.below(sources_);
      free = targets_ - store_->out_degree(source);
    }
    add(source, store_->absent_target(source, random.below(free)));
  }
  return n;
}

void RewiredConnection::take_probes() {
  for (Probe& probe : probes_) {
    probe.gradient = gradients_[store_->slot_of(probe.source, probe.target)];
    store_->remove(*array_, probe.source, probe.target);
  }
}

void RewiredConnection::move(std::size_t from, std::size_t to) { store_->move(*array_, from, to); }

void RewiredConnection::shorten(std::size_t row, std::size_t end) {
  eliminated_ += spans_[row].end - end;
  store_->shorten(*array_, row, end);
}

}  // namespace tessera::training
