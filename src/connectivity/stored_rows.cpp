// Stored rows: one contiguous row of words per source, streamed once per spike. Packed and wide words
// have stores of their own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/aligned_array.hpp"
#include "connectivity/in_flight.hpp"
#include "connectivity/row_store.hpp"
#include "kernels/deliver.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

/// Writes rows one after the other into an array that grows without copying.
template <class Word>
class RowWriter {
 public:
  RowWriter(const Wiring& wiring, const WeightUnits& units, std::size_t expected_words)
      : wiring_(&wiring), units_(&units), words_(expected_words + kRoom) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::uint64_t synapses() const { return synapses_; }

  /// The row of a source: its uniform bundles by `record`, and what is listed in `listed`, sorted.
  void write(const Fan& fan, std::uint32_t source, const std::uint16_t* record, const WordRow<Word>& listed) {
    const Word* words = listed.words();
    auto part = listed.parts().begin();
    const auto parts_end = listed.parts().end();
    std::size_t last_header = 0;
    const bool none = listed.parts().empty();
    const std::uint32_t first = none ? fan.first_group() : std::min(fan.first_group(), listed.parts().front().group);
    const std::uint32_t uniform_end = fan.first_group() + fan.groups();
    const std::uint32_t end = none ? uniform_end : std::max(uniform_end, listed.parts().back().group + 1);
    for (std::uint32_t group = first; group < end; ++group) {
      const std::size_t header = position_++;
      make_room(0);
      if (group >= fan.first_group() && group < uniform_end) {
        draw(fan, source, group, record + (group - fan.first_group()) * fan.uniform_bundles());
      }
      if (part != parts_end && part->group == group) {
        make_room(part->count);
        std::copy_n(words, part->count, words_.data() + position_);
        words += part->count;
        position_ += part->count;
        ++part;
      }
      const std::size_t count = position_ - header - 1;
      if (count == 0) {
        position_ = header;
        continue;
      }
      if (count > row_header::kLargestCount) {
        throw InputError("A row has more than 1,048,575 synapses of one source in one delay group on a "
                         "tile; use more tiles.");
      }
      row_header::in(words_[header]) = row_header::make(static_cast<std::uint32_t>(count), group);
      last_header = header + 1;
      synapses_ += count;
    }
    if (last_header > 0) row_header::in(words_[last_header - 1]) |= row_header::kLast;
  }

  AlignedArray<Word> take() {
    words_.resize(position_ + DrawQueue::kSlack);  // prefetches and vector stores may look past the end
    return std::move(words_);
  }

 private:
  static constexpr std::size_t kRoom = 4 * DrawQueue::kCapacity + DrawQueue::kSlack;

  void make_room(std::size_t n) {
    if (position_ + n + kRoom > words_.size()) words_.resize(words_.size() + words_.size() / 4 + n + kRoom);
  }

  void draw(const Fan& fan, std::uint32_t source, std::uint32_t group, const std::uint16_t* counts) {
    std::size_t bundle = 0;
    while (bundle < fan.uniform_bundles()) {
      queue_.size = 0;
      bundle = enqueue(queue_, fan.streams(), bundle, counts, fan.steps(group), source, group);
      position_ += draw_words(queue_, wiring_->key(), tables_of(*wiring_, *units_), words_.data() + position_);
      make_room(0);
    }
  }

  const Wiring* wiring_;
  const WeightUnits* units_;
  AlignedArray<Word> words_;
  std::size_t position_ = 0;
  std::uint64_t synapses_ = 0;
  DrawQueue queue_{};
};

/// The listed rows of a fan, source after source: counts are drawn for a block of sources at once.
template <class Word>
class ListedReader {
 public:
  ListedReader(const Wiring& wiring, const Fan& fan)
      : wiring_(&wiring), fan_(&fan), counts_(fan.listed().size() * SourceTree::kBlock),
        first_(fan.listed().size(), 0) {}

  /// Sources one after the other, from 0 on.
  const WordRow<Word>& read(std::uint32_t source) {
    const ListedRows& listed = fan_->listed();
    const std::uint32_t in_block = source % SourceTree::kBlock;
    row_.clear();
    for (std::size_t i = 0; i < listed.size(); ++i) {
      Wiring::Share share;
      if (wiring_->counted(listed.bundle(i))) {
        std::uint32_t* counts = counts_.data() + i * SourceTree::kBlock;
        if (in_block == 0) wiring_->block_counts(listed.bundle(i), source / SourceTree::kBlock, counts);
        share = {first_[i], counts[in_block]};
        first_[i] += share.count;
      }
      listed.draw(i, source, share, row_);
    }
    row_.sort();
    return row_;
  }

 private:
  const Wiring* wiring_;
  const Fan* fan_;
  std::vector<std::uint32_t> counts_, first_;
  WordRow<Word> row_;
};

std::size_t expected_words(const RowStoreInput& input, const BundleChoice& holds) {
  return static_cast<std::size_t>(expected_synapses(input, holds) * 1.02);
}

template <class Word>
class StoredRows final : public RowStore {
  [[nodiscard]] auto base() const {
    return [words = words_.data()](std::int64_t) { return words; };
  }

 public:
  StoredRows(const RowStoreInput& input, const BundleChoice& holds)
      : shape_(input.wiring->ring_shape()),
        in_flight_(shape_, input.wiring->max_delay_steps(), input.exchange_steps) {
    std::uint32_t neurons = 0;
    for (const Population& population : input.wiring->network().populations) neurons += population.size;
    row_begin_ = AlignedArray<std::uint32_t>(neurons + 1);
    RowWriter<Word> writer(*input.wiring, *input.units, expected_words(input, holds));
    std::uint32_t next = 0;
    for (const Fan& fan : make_fans(*input.wiring, *input.units, *input.layout, holds)) {
      for (; next < fan.first_source(); ++next) row_begin_[next] = position(writer);
      std::vector<std::uint16_t> records(SourceTree::kBlock * fan.record_size() + kBundlePadding);
      ListedReader<Word> listed(*input.wiring, fan);
      for (std::uint32_t i = 0; i < fan.sources(); ++i, ++next) {
        const std::uint32_t in_block = i % SourceTree::kBlock;
        if (in_block == 0) fan.count_block(i / SourceTree::kBlock, records.data());
        row_begin_[next] = position(writer);
        writer.write(fan, i, records.data() + in_block * fan.record_size(), listed.read(i));
      }
    }
    for (; next <= neurons; ++next) row_begin_[next] = position(writer);
    synapses_ = writer.synapses();
    words_ = writer.take();
  }

  void receive(std::int64_t step, SpikeLists lists) override {
    in_flight_.of_step(step).clear();
    receive_more(step, lists);
  }

  // A row's place and its first header are looked up in passes of their own, so that the cache misses
  // of all spikes overlap.
  void receive_more(std::int64_t step, SpikeLists lists) override {
    std::vector<InFlight::Cursor>& cursors = in_flight_.of_step(step);
    const std::size_t before = cursors.size();
    for (const auto spikes : lists) {
      for (const std::uint32_t source : spikes) {
        const std::uint32_t begin = row_begin_[source];
        if (begin == row_begin_[source + 1]) continue;
        __builtin_prefetch(words_.data() + begin);
        cursors.push_back({begin, 0});
      }
    }
    for (InFlight::Cursor& cursor : std::span(cursors).subspan(before)) {
      cursor.header = row_header::in(words_[cursor.words++]);
    }
  }

  void receive_again(std::int64_t step, std::int64_t now, SpikeLists lists) override {
    receive(step, lists);
    in_flight_.skip_delivered(step, now, base());
  }

  void deliver(std::int64_t step, std::int32_t* ring) override {
    in_flight_.collect(step, base(), visits_);
    deliver_rows(visits_.data(), visits_.size(), ring, shape_.row(step));
    in_flight_.advance(step, base());
    counters_.row_visits += visits_.size();
    for (const VisitOf<Word>& visit : visits_) counters_.synaptic_events += visit.count;
  }

  bool reaches(std::uint32_t source) const override { return row_begin_[source] != row_begin_[source + 1]; }
  std::uint64_t synapses() const override { return synapses_; }
  std::uint64_t bytes() const override { return words_.bytes() + row_begin_.bytes(); }

 private:
  static std::uint32_t position(const RowWriter<Word>& writer) {
    if (writer.position() > 0xffffffffu) {
      throw InputError("A tile would hold more than 4,294,967,295 synapses; use more tiles.");
    }
    return static_cast<std::uint32_t>(writer.position());
  }
  AlignedArray<Word> words_;
  AlignedArray<std::uint32_t> row_begin_;
  RingShape shape_;
  InFlight in_flight_;
  std::vector<VisitOf<Word>> visits_;
  std::uint64_t synapses_ = 0;
};

}  // namespace

std::unique_ptr<RowStore> make_stored_rows(const RowStoreInput& input) {
  const BundleChoice wide = [&units = *input.units](const Bundle& b) { return units.wide[b.projection]; };
  auto packed = std::make_unique<StoredRows<std::uint32_t>>(input, std::not_fn(wide));
  if (!lands_on(input, wide)) return packed;
  return make_pair_of_rows(std::move(packed), std::make_unique<StoredRows<WideWord>>(input, wide));
}

}  // namespace tessera
