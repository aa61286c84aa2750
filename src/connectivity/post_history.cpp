// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/post_history.hpp"

#include <cmath>

#include "connectivity/saved_columns.hpp"

namespace tessera {

template <class Real>
PostHistory<Real>::PostHistory(std::uint32_t neurons, PostTraces traces, double dt_ms)
    : neurons_(neurons), traces_(traces), dt_ms_(dt_ms), newest_(neurons, kNeverSpiked), head_(neurons, 0), newest_fast_(neurons) {
  const std::size_t places = std::size_t{neurons} << capacity_bits_;
  older_.assign(places, kNeverSpiked);
  older_fast_.resize(places);
  if (traces.tau_slow == 0.0) return;
  newest_slow_.resize(neurons);
  older_slow_.resize(places);
}

template <class Real>
void PostHistory<Real>::add(std::uint32_t neuron, std::int32_t time) {
  const auto place = [&](std::int32_t head) {
    return (std::size_t{neuron} << capacity_bits_) + (static_cast<std::size_t>(head) & ((std::size_t{1} << capacity_bits_) - 1));
  };
  const std::int32_t last = newest_[neuron];
  if (last != kNeverSpiked) {
    // The oldest spike is overwritten: the one after it must not be needed either, since the last of those that
    // are not needed is.
    if (older_[place(head_[neuron] + 2)] > needed_after_) grow();
    const std::size_t to = place(++head_[neuron]);
    older_[to] = last;
    older_fast_[to] = newest_fast_[neuron];
    if (!older_slow_.empty()) older_slow_[to] = newest_slow_[neuron];
  }
  const double since = last == kNeverSpiked ? INFINITY : (time - last) * dt_ms_;
  const double faded = traces_.nearest ? 0.0 : newest_fast_[neuron] * std::exp(-since / traces_.tau_fast);
  newest_[neuron] = time;
  newest_fast_[neuron] = static_cast<Real>(faded + 1.0);
  if (!newest_slow_.empty()) {
    const double after = last == kNeverSpiked ? 0.0 : newest_slow_[neuron] + 1.0;
    newest_slow_[neuron] = static_cast<Real>(after * std::exp(-since / traces_.tau_slow));
  }
}

template <class Real>
void PostHistory<Real>::grow() {
  const std::size_t capacity = std::size_t{1} << capacity_bits_, mask = capacity - 1;
  std::vector<std::int32_t> older(older_.size() * 2, kNeverSpiked);
  std::vector<Real> fast(older_fast_.size() * 2), slow(older_slow_.size() * 2);
  for (std::size_t n = 0; n < neurons_; ++n) {
    for (std::size_t k = 0; k < capacity; ++k) {  // the oldest first
      const std::size_t from = n * capacity + ((static_cast<std::size_t>(head_[n]) + 1 + k) & mask), to = 2 * n * capacity + k;
      older[to] = older_[from];
      fast[to] = older_fast_[from];
      if (!slow.empty()) slow[to] = older_slow_[from];
    }
    head_[n] = static_cast<std::int32_t>(capacity) - 1;
  }
  older_.swap(older);
  older_fast_.swap(fast);
  older_slow_.swap(slow);
  ++capacity_bits_;
}

template <class Real>
PostSpikes<Real> PostHistory<Real>::view() const {
  return {newest_.data(), newest_fast_.data(), newest_slow_.data(), older_.data(), older_fast_.data(), older_slow_.data(), head_.data(),
          capacity_bits_};
}

template <class Real>
std::size_t PostHistory<Real>::bytes() const {
  return (newest_.size() + older_.size() + head_.size()) * sizeof(std::int32_t) +
         (newest_fast_.size() + newest_slow_.size() + older_fast_.size() + older_slow_.size()) * sizeof(Real);
}

template <class Real>
void PostHistory<Real>::save(std::vector<std::uint8_t>& bytes) const {
  put_column(bytes, &needed_after_, 1);
  put_column(bytes, &capacity_bits_, 1);
  for (const auto* values : {&newest_, &head_, &older_}) put_column(bytes, values->data(), values->size());
  for (const auto* values : {&newest_fast_, &newest_slow_, &older_fast_, &older_slow_}) put_column(bytes, values->data(), values->size());
}

template <class Real>
bool PostHistory<Real>::load(std::span<const std::uint8_t>& bytes) {
  std::int32_t needed_after = 0, bits = 0;
  if (!take_column(bytes, &needed_after, 1) || !take_column(bytes, &bits, 1) || bits < 2 || bits > 24) return false;
  const std::size_t places = std::size_t{neurons_} << bits;
  if (bytes.size() < places * sizeof(std::int32_t)) return false;
  needed_after_ = needed_after;
  capacity_bits_ = bits;
  older_.resize(places);
  older_fast_.resize(places);
  if (!newest_slow_.empty()) older_slow_.resize(places);
  for (auto* values : {&newest_, &head_, &older_}) {
    if (!take_column(bytes, values->data(), values->size())) return false;
  }
  for (auto* values : {&newest_fast_, &newest_slow_, &older_fast_, &older_slow_}) {
    if (!take_column(bytes, values->data(), values->size())) return false;
  }
  return true;
}

template class PostHistory<float>;
template class PostHistory<double>;

}  // namespace tessera
