// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/step_exchange.hpp"

#include <algorithm>
#include <string>

#include "train/list_code.hpp"

namespace tessera::training {
namespace {

constexpr const char* kSpikes = "training: spikes of a step";
constexpr const char* kReturned = "training: gradients of a step";

std::uint32_t first_neuron(const LayerShare& share, int rank, std::uint32_t width, std::uint32_t neurons) {
  return std::min(share.first_tile_of(rank) * width, neurons);
}

// Kept from batch to batch, and as large as a step has needed it.
void grow_zeroed(std::vector<float>& sums, std::size_t n) {
  grow(sums, n);
  std::fill_n(sums.begin(), n, 0.0f);
}

}  // namespace

void StepExchange::begin(SpikeLists& lists) {
  samples_ = lists.samples;
  spikes_.resize(samples_);
  for (auto& spikes : spikes_) spikes.clear();
  for (std::uint32_t s = 0; s < lists.sections; ++s) {
    for (std::uint32_t b = 0; b < samples_ && !share_.owns(s); ++b) {
      Recording& r = lists.recording(s, b);
      r.clear(false);
      r.begin_sample();
      r.counts.resize(lists.steps);
    }
  }
}

// The spikes of a rank as ascending keys: sample * its neurons + number among them; how many, then the differences.
void StepExchange::gather_spikes(std::uint32_t t, SpikeLists& lists) {
  const std::uint32_t first = first_neuron(share_, share_.rank, width_, neurons_),
                      own = first_neuron(share_, share_.rank + 1, width_, neurons_) - first;
  for (auto& spikes : spikes_) spikes.clear();
  std::vector<std::uint64_t> keys;
  for (std::uint32_t b = 0; b < samples_; ++b) {
    for (std::uint32_t tile = share_.begin(); tile < share_.end(); ++tile) {
      const Recording& r = lists.recording(tile, b);
      const std::size_t n = r.counts.size() > t ? r.counts[t].spikes : 0;  // a rank that failed has none
      for (std::size_t e = r.spikes.size - n; e < r.spikes.size; ++e)
        keys.push_back(std::uint64_t{b} * own + (r.spikes.id[e] - first));
    }
  }
  packed_.clear();
  put_number(keys.size(), packed_);
  for (std::size_t k = 0; k < keys.size(); ++k) put_number(keys[k] - (k > 0 ? keys[k - 1] : 0), packed_);
  ranks_.enter(kSpikes, t);
  ranks_.communicator()->all_gather(packed_, gathered_);
  for (int r = 0; r < share_.ranks; ++r) take_spikes(r, gathered_.of(r), t, lists);
}

void StepExchange::take_spikes(int rank, std::span<const std::byte> bytes, std::uint32_t t, SpikeLists& lists) {
  const std::uint32_t first = first_neuron(share_, rank, width_, neurons_),
                      own = first_neuron(share_, rank + 1, width_, neurons_) - first;
  const std::uint64_t n = take_number(bytes);
  if (n > bytes.size()) refuse_lists();  // a byte each at least
  std::uint64_t key = 0;
  for (std::uint64_t k = 0; k < n; ++k) {
    const std::uint64_t difference = take_number(bytes);
    if (difference == 0 && k > 0) refuse_lists();
    key += difference;
    if (key >= std::uint64_t{samples_} * own) refuse_lists();
    const auto b = static_cast<std::uint32_t>(key / own), id = first + static_cast<std::uint32_t>(key % own);
    spikes_[b].push_back(static_cast<std::uint16_t>(id));
    if (rank == share_.rank) continue;
    Recording& r = lists.recording(id / width_, b);
    r.add_spike(static_cast<std::uint16_t>(id), static_cast<std::uint16_t>(t));
  }
  if (!bytes.empty()) refuse_lists();
}

void StepExchange::end(SpikeLists& lists) {
  for (std::uint32_t s = 0; s < lists.sections; ++s) {
    for (std::uint32_t b = 0; b < samples_; ++b) {
      Stream& spikes = lists.recording(s, b).spikes;
      if (!share_.owns(s)) spikes.first.push_back(static_cast<std::uint32_t>(spikes.size));
    }
  }
}

void StepExchange::begin_back(Worker& worker, std::uint32_t end, const SpikeLists& lists) {
  worker.once([&] { entries_.resize(std::size_t{lists.sections} * samples_); });
  worker.each(lists.sections, [&](std::size_t s) {
    for (std::uint32_t b = 0; b < samples_; ++b)
      entries_[s * samples_ + b] = StepEntries::behind(lists.recording(static_cast<std::uint32_t>(s), b), 0, end);
  });
}

void StepExchange::find_places() {
  const auto ranks = static_cast<std::size_t>(share_.ranks);
  place_.resize(entries_.size());
  rank_entries_.assign(ranks, 0);
  sums_.resize(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    std::size_t& before = rank_entries_[r];
    const int rank = static_cast<int>(r);
    const std::size_t begin = std::size_t{share_.first_tile_of(rank)} * samples_,
                      end = std::size_t{share_.first_tile_of(rank + 1)} * samples_;
    for (std::size_t k = begin; k < end; ++k) {
      place_[k] = before;
      before += count(entries_[k]);
    }
    grow_zeroed(sums_[r], share_.own_parts() * before);
  }
}

// Who has parts sends to who has entries: all ranks know how many these are.
void StepExchange::exchange_sums() {
  const auto own = static_cast<std::size_t>(share_.rank);
  std::vector<Parcel> parcels;
  std::vector<int> senders;
  for (int r = 0; r < share_.ranks; ++r) {
    const std::size_t n = rank_entries_[static_cast<std::size_t>(r)] * share_.own_parts();
    if (r == share_.rank) continue;
    if (n > 0) parcels.push_back({r, std::as_bytes(std::span(sums_[static_cast<std::size_t>(r)]).first(n))});
    if (rank_entries_[own] > 0 && share_.first_part(r) < share_.first_part(r + 1)) senders.push_back(r);
  }
  ranks_.enter(kReturned);
  ranks_.communicator()->start_exchange(parcels, senders);
  ranks_.communicator()->finish_exchange(gathered_);
  from_.assign(static_cast<std::size_t>(share_.ranks), nullptr);
  if (share_.own_parts() > 0) from_[own] = sums_[own].data();
  for (std::size_t k = 0; k < senders.size(); ++k) {
    const int r = senders[k];
    const std::span<const std::byte> bytes = gathered_.of(static_cast<int>(k));
    const std::size_t parts = share_.first_part(r + 1) - share_.first_part(r);
    if (bytes.size() != parts * rank_entries_[own] * sizeof(float)) {
      throw CommunicationError("The gradients of spikes of rank " + std::to_string(r) +
                                   " have another size than expected.",
                               kReturned, r);
    }
    from_[static_cast<std::size_t>(r)] = reinterpret_cast<const float*>(bytes.data());
  }
}

void StepExchange::add_sums(std::uint32_t section, std::uint32_t sample, Recording& recording) const {
  const StepEntries& e = entries(section, sample);
  const std::size_t spikes = e.spike1 - e.spike0, others = e.other1 - e.other0,
                    all = rank_entries_[static_cast<std::size_t>(share_.rank)];
  const auto add = [](const float* sums, std::size_t n, float* ds) {
    for (std::size_t k = 0; k < n; ++k) ds[k] += sums[k];
  };
  for (int r = 0; spikes + others > 0 && r < share_.ranks; ++r) {
    const std::uint32_t parts = share_.first_part(r + 1) - share_.first_part(r);
    const float* sums = from_[static_cast<std::size_t>(r)];
    if (sums != nullptr) sums += place_[std::size_t{section} * samples_ + sample];
    for (std::uint32_t part = 0; part < parts; ++part, sums += all) {
      add(sums, spikes, recording.spikes.ds.data() + e.spike0);
      add(sums + spikes, others, recording.others.ds.data() + e.other0);
    }
  }
}

}  // namespace tessera::training
