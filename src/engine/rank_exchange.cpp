// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/rank_exchange.hpp"

#include <limits>
#include <utility>

#include "tessera/errors.hpp"

namespace tessera {
namespace {

class Collective final : public RankExchange {
 public:
  Collective(std::shared_ptr<Communicator> ranks, NeuronRanges own)
      : RankExchange(std::move(ranks)), own_(own), writer_(own_.size()) {}

  void begin() override { writer_.clear(own_.size()); }
  void put(std::uint64_t step, std::span<const std::uint32_t> spikes) override {
    NeuronRanges::Cursor cursor(own_);
    for (const std::uint32_t id : spikes) writer_.put(step, cursor.number_of(id));
  }
  void start() override {
    require_countable(writer_.bytes().size());
    counted([&] { ranks_->start_all_gather(writer_.bytes()); });
  }
  void finish() override {
    counted([&] { ranks_->finish_all_gather(received_); });
    arrived_.clear();
    for (int r = 0; r < ranks_->size(); ++r) {
      if (r != ranks_->rank() && !received_.of(r).empty()) arrived_.push_back({r, received_.of(r)});
    }
  }
  void settle() override { writer_.settle(); }

 private:
  NeuronRanges own_;
  SpikeWriter writer_;
};

class PointToPoint final : public RankExchange {
 public:
  PointToPoint(std::shared_ptr<Communicator> ranks, NeuronRanges own, ReachTable table, std::vector<int> to,
               std::vector<int> from)
      : RankExchange(std::move(ranks)), own_(own), table_(std::move(table)), to_(std::move(to)),
        from_(std::move(from)), writers_(to_.size()) {}

  void begin() override {
    for (SpikeWriter& writer : writers_) writer.clear(own_.size());
  }
  void put(std::uint64_t step, std::span<const std::uint32_t> spikes) override {
    NeuronRanges::Cursor cursor(own_);
    for (const std::uint32_t id : spikes) {
      const std::uint32_t number = cursor.number_of(id);
      for (const std::uint16_t n : table_.neighbours_of(number)) writers_[n].put(step, number);
    }
  }
  void start() override {
    parcels_.clear();
    for (std::size_t n = 0; n < to_.size(); ++n) {
      require_countable(writers_[n].bytes().size());
      parcels_.push_back({to_[n], writers_[n].bytes()});
    }
    counted([&] { ranks_->start_exchange(parcels_, from_); });
  }
  void finish() override {
    counted([&] { ranks_->finish_exchange(received_); });
    arrived_.clear();
    for (std::size_t i = 0; i < from_.size(); ++i) {
      const auto bytes = std::span<const std::byte>(received_.bytes)
                             .subspan(received_.begin[i], received_.begin[i + 1] - received_.begin[i]);
      if (!bytes.empty()) arrived_.push_back({from_[i], bytes});
    }
  }
  void settle() override {
    for (SpikeWriter& writer : writers_) writer.settle();
  }
  std::uint64_t table_bytes() const override { return table_.bytes(); }

 private:
  NeuronRanges own_;
  ReachTable table_;
  std::vector<int> to_, from_;
  std::vector<SpikeWriter> writers_;
  std::vector<Parcel> parcels_;
};

}  // namespace

void RankExchange::require_countable(std::size_t bytes) {
  if (bytes <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) return;
  throw RunError("The spikes that a rank sends between two exchanges take " + std::to_string(bytes) +
                 " bytes; at most 2,147,483,647 can be sent at once. Use more ranks.");
}

std::unique_ptr<RankExchange> make_collective(std::shared_ptr<Communicator> ranks, NeuronRanges own) {
  return std::make_unique<Collective>(std::move(ranks), own);
}

std::unique_ptr<RankExchange> make_point_to_point(std::shared_ptr<Communicator> ranks, NeuronRanges own,
                                                  ReachTable table, std::vector<int> to, std::vector<int> from) {
  return std::make_unique<PointToPoint>(std::move(ranks), own, std::move(table), std::move(to), std::move(from));
}

RemoteSpikes::RemoteSpikes(const AllNeurons& neurons, int parts, std::uint32_t steps)
    : neurons_(&neurons), lists_(static_cast<std::size_t>(parts), std::vector<std::vector<std::uint32_t>>(steps)) {}

bool RemoteSpikes::unpack(int part, std::uint64_t steps, const std::vector<Parcel>& lists) {
  std::vector<std::vector<std::uint32_t>>& mine = lists_[static_cast<std::size_t>(part)];
  for (std::uint64_t step = 0; step < steps; ++step) mine[step].clear();
  for (std::size_t i = static_cast<std::size_t>(part); i < lists.size(); i += lists_.size()) {
    const NeuronRanges senders = neurons_->of(lists[i].rank);
    NeuronRanges::Cursor cursor(senders);
    const bool whole = read_spikes(lists[i].bytes, steps, senders.size(), [&](std::uint64_t step, std::uint64_t number) {
      mine[step].push_back(cursor.id_of(static_cast<std::uint32_t>(number)));
    });
    if (!whole) return false;
  }
  return true;
}

void RemoteSpikes::add_lists(std::uint64_t step, std::vector<std::span<const std::uint32_t>>& lists) const {
  for (const auto& part : lists_) {
    if (!part[step].empty()) lists.push_back(part[step]);
  }
}

void RemoteSpikes::settle() {
  for (auto& part : lists_) {
    for (auto& list : part) {
      if (list.capacity() > 4 * list.size() + 1024) list.shrink_to_fit();
    }
  }
}

}  // namespace tessera
