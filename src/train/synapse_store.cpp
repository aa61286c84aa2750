// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/synapse_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "train/parameter_array.hpp"

namespace tessera::training {
namespace {

// One free slot for so many synapses: a new one finds a gap a row or two away.
constexpr std::size_t kSynapsesPerGap = 32, kFewestGaps = 16;
// More than this much shifting in one batch, and the gaps are spread anew.
constexpr std::size_t kMostShifts = 4;
// Beyond so many times the usual number, free slots are given back.
constexpr std::size_t kMostFree = 4;

std::size_t free_slots(std::size_t synapses) { return synapses / kSynapsesPerGap + kFewestGaps; }

void move_floats(AlignedArray<float>& values, std::size_t from, std::size_t to, std::size_t n) {
  if (values.size() > 0) std::memmove(values.data() + to, values.data() + from, n * sizeof(float));
}

template <class F>
void each_array(ParameterArray& array, const F& f) {
  for (AlignedArray<float>* values : {&array.value, &array.gradient, &array.first, &array.second}) f(*values);
}

}  // namespace

bool is_inhibitory(RandomKey key, std::uint32_t connection, std::uint64_t pair) {
  const auto block = static_cast<std::uint32_t>(pair / 128);
  const RandomWords words = random_words(key, Purpose::pair_sign, block, connection, 0);
  const auto bit = static_cast<std::uint32_t>(pair % 128);
  return (words[bit / 32] >> bit % 32 & 1U) != 0;
}

SynapseStore::SynapseStore(const Connection& spec, std::uint32_t sources, std::uint32_t targets,
                           std::uint32_t width, std::uint64_t seed, std::uint32_t connection)
    : spec_(spec),
      sources_(sources),
      targets_(targets),
      width_(width),
      tiles_((targets + width - 1) / width),
      seed_(seed),
      connection_(connection),
      spans_(std::size_t{tiles_} * sources) {}

void SynapseStore::assign(ParameterArray& array, const std::vector<PlacedSynapse>& synapses,
                          const std::vector<float>& weights) {
  const auto row_of = [&](const PlacedSynapse& s) {
    return std::size_t{s.target / width_} * sources_ + s.source;
  };
  std::vector<std::uint32_t> order(synapses.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(row_of(synapses[a]), synapses[a].target) < std::pair(row_of(synapses[b]), synapses[b].target);
  });
  synapses_ = synapses.size();
  slots_.assign(synapses_, {});
  born_.assign(ages_ ? synapses_ : 0, 0);
  array.value = AlignedArray<float>(synapses_);
  array.gradient = AlignedArray<float>(synapses_);
  array.first = {};
  array.second = {};
  std::fill(spans_.begin(), spans_.end(), RowSpan{});
  for (std::uint32_t slot = 0; slot < synapses_; ++slot) {
    const PlacedSynapse& s = synapses[order[slot]];
    const std::uint32_t sign = inhibitory(s.source, s.target) ? SynapseSlot::kInhibitory : 0U;
    slots_[slot] = {static_cast<std::uint16_t>(s.target % width_),
                    static_cast<std::uint16_t>(s.delay | sign | SynapseSlot::kOccupied)};
    array.value[slot] = weights[order[slot]];
    ++spans_[row_of(s)].end;  // for now the length
  }
  std::uint32_t begin = 0;
  for (RowSpan& row : spans_) {
    const std::uint32_t length = row.end;
    row = {begin, begin + length};
    begin += length;
  }
  lay_out(array, even_gaps(free_slots(synapses_)));
}

std::string SynapseStore::check(const Tensor& indices) const {
  if (indices.shape.size() != 2 || indices.shape[1] != 3 || indices.values.size() != 3 * indices.shape[0])
    return fmt::format("has the shape [{}], but it needs [synapses, 3]", fmt::join(indices.shape, ", "));
  const float limits[] = {static_cast<float>(sources_), static_cast<float>(targets_),
                          static_cast<float>(spec_.max_delay + 1)};
  std::vector<std::uint64_t> pairs;
  for (std::size_t i = 0; i < indices.values.size(); i += 3) {
    for (std::size_t k = 0; k < 3; ++k) {
      const float x = indices.values[i + k];
      const float low = k == 2 ? static_cast<float>(spec_.min_delay) : 0.0F;
      if (!(x >= low && x < limits[k]) || x != static_cast<float>(static_cast<std::uint32_t>(x)))
        return fmt::format("has the {} {} at synapse {}; it must be a whole number from {} to {}",
                           k == 0 ? "source" : k == 1 ? "target" : "delay", x, i / 3, low, limits[k] - 1.0F);
    }
    pairs.push_back(static_cast<std::uint64_t>(indices.values[i]) * targets_ +
                    static_cast<std::uint64_t>(indices.values[i + 1]));
  }
  std::sort(pairs.begin(), pairs.end());
  const auto twice = std::adjacent_find(pairs.begin(), pairs.end());
  if (twice != pairs.end())
    return fmt::format("has two synapses from {} to {}; a pair has at most one", *twice / targets_, *twice % targets_);
  return {};
}

void SynapseStore::assign(ParameterArray& array, const Tensor& indices, const std::vector<float>& weights) {
  std::vector<PlacedSynapse> synapses(weights.size());
  for (std::size_t i = 0; i < synapses.size(); ++i) {
    const auto value = [&](std::size_t k) { return static_cast<std::uint32_t>(indices.values[3 * i + k]); };
    synapses[i] = {value(0), value(1), value(2)};
  }
  assign(array, synapses, weights);
}

Tensor SynapseStore::indices(const std::string& name) const {
  Tensor tensor{name, {synapses_, 3}, {}};
  tensor.values.reserve(3 * synapses_);
  for (std::uint32_t source = 0; source < sources_; ++source) {
    for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
      const RowSpan row = spans_[std::size_t{tile} * sources_ + source];
      for (std::uint32_t slot = row.begin; slot < row.end; ++slot) {
        for (const std::uint32_t x : {source, tile * width_ + slots_[slot].target, slots_[slot].delay()})
          tensor.values.push_back(static_cast<float>(x));
      }
    }
  }
  return tensor;
}

std::size_t SynapseStore::lower_bound(std::size_t row, std::uint32_t local) const {
  const auto begin = slots_.begin() + spans_[row].begin, end = slots_.begin() + spans_[row].end;
  const auto at = std::lower_bound(begin, end, local, [](SynapseSlot s, std::uint32_t t) { return s.target < t; });
  return static_cast<std::size_t>(at - slots_.begin());
}

bool SynapseStore::connected(std::uint32_t source, std::uint32_t target) const {
  const std::size_t row = std::size_t{target / width_} * sources_ + source;
  const std::size_t at = lower_bound(row, target % width_);
  return at < spans_[row].end && slots_[at].target == target % width_;
}

std::uint32_t SynapseStore::out_degree(std::uint32_t source) const {
  std::uint32_t sum = 0;
  for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
    const RowSpan row = spans_[std::size_t{tile} * sources_ + source];
    sum += row.end - row.begin;
  }
  return sum;
}

std::uint32_t SynapseStore::absent_target(std::uint32_t source, std::uint32_t k) const {
  std::uint32_t candidate = k;  // every synapse at or below it moves it on by one
  for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
    const RowSpan row = spans_[std::size_t{tile} * sources_ + source];
    for (std::uint32_t slot = row.begin; slot < row.end; ++slot) {
      if (tile * width_ + slots_[slot].target > candidate) return candidate;
      ++candidate;
    }
  }
  return candidate;
}

bool SynapseStore::add(ParameterArray& array, std::uint32_t source, std::uint32_t target, float weight,
                       std::uint32_t delay, std::uint32_t born) {
  const std::size_t row = std::size_t{target / width_} * sources_ + source;
  const std::uint32_t local = target % width_;
  const std::size_t at = lower_bound(row, local);
  if (at < spans_[row].end && slots_[at].target == local) return false;
  if (synapses_ == slots_.size() || shifted_ > kMostShifts * slots_.size()) {
    lay_out(array, even_gaps(std::max(slots_.size() - synapses_, free_slots(synapses_))));
    shifted_ = 0;
  }
  const std::size_t slot = make_room(array, row, lower_bound(row, local));
  const std::uint32_t sign = inhibitory(source, target) ? SynapseSlot::kInhibitory : 0U;
  slots_[slot] = {static_cast<std::uint16_t>(local),
                  static_cast<std::uint16_t>(delay | sign | SynapseSlot::kOccupied)};
  each_array(array, [&](AlignedArray<float>& values) {
    if (values.size() > 0) values[slot] = 0.0F;
  });
  array.value[slot] = weight;
  if (ages_) born_[slot] = born;
  ++synapses_;
  return true;
}

// The row gets one more slot, at place `at`, from the nearest gap: all between here and there moves.
std::size_t SynapseStore::make_room(ParameterArray& array, std::size_t row, std::size_t at) {
  for (std::size_t k = 0;; ++k) {
    if (row + k < spans_.size() && gap(row + k) > 0) {
      shift(array, at, at + 1, spans_[row + k].end - at);
      for (std::size_t r = row + 1; r <= row + k; ++r) ++spans_[r].begin;
      for (std::size_t r = row; r <= row + k; ++r) ++spans_[r].end;
      return at;
    }
    if (row > k && gap(row - k - 1) > 0) {
      const std::size_t first = spans_[row - k].begin;
      shift(array, first, first - 1, at - first);
      for (std::size_t r = row - k; r <= row; ++r) --spans_[r].begin;
      for (std::size_t r = row - k; r < row; ++r) --spans_[r].end;
      return at - 1;
    }
  }
}

void SynapseStore::shift(ParameterArray& array, std::size_t from, std::size_t to, std::size_t n) {
  if (n == 0) return;
  std::memmove(slots_.data() + to, slots_.data() + from, n * sizeof(SynapseSlot));
  if (ages_) std::memmove(born_.data() + to, born_.data() + from, n * sizeof(std::uint32_t));
  each_array(array, [&](AlignedArray<float>& values) { move_floats(values, from, to, n); });
  shifted_ += n;
}

void SynapseStore::move(ParameterArray& array, std::size_t from, std::size_t to) {
  slots_[to] = slots_[from];
  if (ages_) born_[to] = born_[from];
  each_array(array, [&](AlignedArray<float>& values) {
    if (values.size() > 0) values[to] = values[from];
  });
}

void SynapseStore::remove(ParameterArray& array, std::uint32_t source, std::uint32_t target) {
  const std::size_t row = std::size_t{target / width_} * sources_ + source, at = slot_of(source, target);
  shift(array, at + 1, at, spans_[row].end - at - 1);
  shorten(array, row, spans_[row].end - 1);
}

void SynapseStore::shorten(ParameterArray& array, std::size_t row, std::size_t end) {
  const std::size_t old = spans_[row].end;
  std::fill(slots_.begin() + static_cast<std::ptrdiff_t>(end), slots_.begin() + static_cast<std::ptrdiff_t>(old),
            SynapseSlot{});
  if (ages_) std::fill_n(born_.data() + end, old - end, 0U);
  each_array(array, [&](AlignedArray<float>& values) {
    if (values.size() > 0) std::fill_n(values.data() + end, old - end, 0.0F);
  });
  spans_[row].end = static_cast<std::uint32_t>(end);
  synapses_ -= old - end;
}

std::vector<std::uint32_t> SynapseStore::even_gaps(std::size_t free) const {
  std::vector<std::uint32_t> gaps(spans_.size());
  for (std::size_t r = 0; r < gaps.size(); ++r) {
    gaps[r] = static_cast<std::uint32_t>((r + 1) * free / gaps.size() - r * free / gaps.size());
  }
  return gaps;
}

void SynapseStore::end_batch(ParameterArray& array) {
  const std::size_t free = free_slots(synapses_);
  if (slots_.size() > synapses_ + kMostFree * free) lay_out(array, even_gaps(free));
  array.elements = synapses_;
  array.shape = {synapses_};
}

std::vector<std::uint32_t> SynapseStore::gaps() const {
  std::vector<std::uint32_t> gaps(spans_.size());
  for (std::size_t r = 0; r < gaps.size(); ++r) gaps[r] = gap(r);
  return gaps;
}

void SynapseStore::set_gaps(ParameterArray& array, const std::vector<std::uint32_t>& gaps) { lay_out(array, gaps); }

// All rows anew with these gaps behind them. New slots are zero.
void SynapseStore::lay_out(ParameterArray& array, const std::vector<std::uint32_t>& gaps) {
  std::vector<RowSpan> spans(spans_.size());
  std::uint32_t begin = 0;
  for (std::size_t r = 0; r < spans.size(); ++r) {
    spans[r] = {begin, begin + spans_[r].end - spans_[r].begin};
    begin = spans[r].end + gaps[r];
  }
  const auto copy_rows = [&](const auto* from, auto* to) {
    for (std::size_t r = 0; r < spans.size(); ++r)
      std::copy(from + spans_[r].begin, from + spans_[r].end, to + spans[r].begin);
  };
  std::vector<SynapseSlot> slots(begin);
  copy_rows(slots_.data(), slots.data());
  if (ages_) {
    std::vector<std::uint32_t> born(begin);
    copy_rows(born_.data(), born.data());
    born_ = std::move(born);
  }
  each_array(array, [&](AlignedArray<float>& values) {
    if (values.size() == 0 && &values != &array.value && &values != &array.gradient) return;
    AlignedArray<float> fresh(padded(begin));
    if (values.size() > 0) copy_rows(values.data(), fresh.data());
    values = std::move(fresh);
  });
  spans_ = std::move(spans);
  slots_ = std::move(slots);
  array.layout.size = padded(begin);
  array.elements = synapses_;
  array.shape = {synapses_};
}

void SynapseStore::add_l1(float* gradient, std::size_t begin, std::size_t end) const {
  end = std::min(end, slots_.size());  // the array is padded to whole vectors
  for (std::size_t slot = begin; slot < end; ++slot) {
    const SynapseSlot s = slots_[slot];
    if ((s.info & SynapseSlot::kOccupied) != 0) gradient[slot] += l1_ * s.sign();
  }
}

}  // namespace tessera::training
