// Stored rows: one contiguous row of words per source, streamed once per spike. Rows of a few words have no
// headers (row_places.hpp). Packed and wide words have stores of their own. Where a tile has a part of a chunk, rows
// are drawn for the whole chunk and what falls on other neurons is left out.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/aligned_array.hpp"
#include "base/prefetch.hpp"
#include "connectivity/in_flight.hpp"
#include "connectivity/row_places.hpp"
#include "connectivity/row_store.hpp"
#include "kernels/deliver.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

/// Which words are meant for neurons of the tile.
class OwnWords {
 public:
  OwnWords(const Wiring& wiring, const TileLayout& layout)
      : own_(own_slots(layout)), slot_mask_(wiring.ring_shape().slots() - 1) {}
  [[nodiscard]] bool all() const { return own_.empty(); }
  template <class Word>
  [[nodiscard]] bool has(const Word& word) const {
    const std::uint32_t slot = row_header::in(word) & slot_mask_;
    return own_.empty() || (slot < own_.size() && own_[slot] != 0);
  }

 private:
  std::vector<std::uint8_t> own_;
  std::uint32_t slot_mask_;
};

/// Writes rows one after the other into an array that grows without copying.
template <class Word>
class RowWriter {
 public:
  RowWriter(const Wiring& wiring, const WeightUnits& units, const OwnWords& own, std::size_t expected_words)
      : wiring_(&wiring), units_(&units), own_(&own), words_(expected_words + kRoom) {}

  [[nodiscard]] const OwnWords& own() const { return *own_; }

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::uint64_t synapses() const { return synapses_; }

  /// The row of a source: its uniform bundles by `record`, and what is listed in `listed`, sorted. Short rows
  /// have their words told to `places`, long ones have headers.
  void write(const Fan& fan, std::uint32_t source, const std::uint16_t* record, const WordRow<Word>& listed, RowPlaces& places) {
    const Word* words = listed.words();
    auto part = listed.parts().begin();
    const auto parts_end = listed.parts().end();
    std::size_t last_header = 0;
    const bool none = listed.parts().empty(), is_short = places.is_short();
    const std::uint32_t first = none ? fan.first_group() : std::min(fan.first_group(), listed.parts().front().group);
    const std::uint32_t uniform_end = fan.first_group() + fan.groups();
    const std::uint32_t end = none ? uniform_end : std::max(uniform_end, listed.parts().back().group + 1);
    places.begin(source, position_);
    for (std::uint32_t group = first; group < end; ++group) {
      const std::size_t start = position_;
      position_ += is_short ? 0 : 1;  // its header
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
      leave_out_others(start + (is_short ? 0 : 1));
      const std::size_t count = position_ - start - (is_short ? 0 : 1);
      synapses_ += count;
      if (count > row_header::kLargestCount) {
        throw InputError("A row has more than 1,048,575 synapses of one source in one delay group on a "
                         "tile; use more tiles.");
      }
      if (is_short) {
        if (count > 0) places.add(source, group, count);
        continue;
      }
      if (count == 0) {
        position_ = start;
        continue;
      }
      row_header::in(words_[start]) = row_header::make(static_cast<std::uint32_t>(count), group);
      last_header = start + 1;
    }
    if (last_header > 0) row_header::in(words_[last_header - 1]) |= row_header::kLast;
  }

  /// A long row of one delay group.
  void add_row(const Word* words, std::size_t n, std::uint32_t group) {
    if (n == 0) return;
    make_room(n);
    row_header::in(words_[position_]) = row_header::make(static_cast<std::uint32_t>(n), group) | row_header::kLast;
    std::copy_n(words, n, words_.data() + position_ + 1);
    position_ += n + 1;
    synapses_ += n;
  }

  /// Room for n words of short rows that the caller writes.
  Word* append(std::size_t n) {
    make_room(n);
    Word* words = words_.data() + position_;
    position_ += n;
    synapses_ += n;
    return words;
  }

  AlignedArray<Word> take() {
    words_.resize(position_ + DrawQueue::kSlack);  // prefetches and vector stores may look past the end
    return std::move(words_);
  }

 private:
  /// Of the words from `begin` on, keeps those of this tile.
  void leave_out_others(std::size_t begin) {
    if (own_->all()) return;
    Word* const first = words_.data() + begin;
    Word* const last = words_.data() + position_;
    position_ -= static_cast<std::size_t>(last - std::remove_if(first, last, [this](const Word& word) { return !own_->has(word); }));
  }

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
  const OwnWords* own_;
  AlignedArray<Word> words_;
  std::size_t position_ = 0;
  std::uint64_t synapses_ = 0;
  DrawQueue queue_{};
};

/// Items of cells ordered by the source on which they fall: a counting sort that keeps their order.
template <class Word>
class CellSort {
 public:
  explicit CellSort(const OwnWords& own) : own_(&own) {}
  /// The items of a block of `sources` sources that begins at `begin`, of a bundle of `listed`; added to those before.
  void add(const ListedRows& listed, std::size_t bundle, std::uint32_t begin, std::uint32_t sources, std::uint32_t all_sources) {
    const std::uint32_t width = listed.cell_width(bundle);
    for (std::uint32_t at = begin; at < begin + sources && at < all_sources; at += width) {
      const std::size_t first = row_.size();
      listed.draw_cell(bundle, at / width, row_, drawn_);
      places_.resize(std::max(places_.size(), row_.size()));
      for (std::size_t k = first; k < row_.size(); ++k) {
        const bool here = own_->has(row_.words()[k]);
        places_[k] = here ? drawn_[k - first] + at - begin : kElsewhere;
        size_ += here ? 1 : 0;
      }
    }
  }
  void clear() {
    row_.clear();
    size_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Where the items of each source begin among the sorted ones, and where the last end.
  [[nodiscard]] const std::uint32_t* begin() const { return begin_.data(); }

  /// Sorted words and their sources.
  void sort(std::uint32_t sources, Word* words, std::uint32_t* places, std::uint16_t* groups) {
    begin_.assign(sources + 1, 0);
    const std::size_t n = row_.size();
    for (std::size_t k = 0; k < n; ++k) {
      if (places_[k] != kElsewhere) ++begin_[places_[k] + 1];
    }
    for (std::uint32_t s = 0; s < sources; ++s) begin_[s + 1] += begin_[s];
    next_.assign(begin_.begin(), begin_.end() - 1);
    const Word* from = row_.words();
    for (std::size_t k = 0; k < n; ++k) {
      if (places_[k] == kElsewhere) continue;
      const std::uint32_t place = places_[k], at = next_[place]++;
      words[at] = from[k];
      places[at] = place;
      if (groups != nullptr) groups[at] = row_.groups()[k];
    }
  }

 private:
  static constexpr std::uint32_t kElsewhere = UINT32_MAX;

  const OwnWords* own_;
  WordRow<Word> row_;
  std::size_t size_ = 0;  ///< items of this tile
  std::vector<std::uint32_t> drawn_, places_, begin_, next_;
};

/// The listed rows of a fan, source after source: counts are drawn for a block of sources at once.
template <class Word>
class ListedReader {
 public:
  ListedReader(const Wiring& wiring, const Fan& fan, const OwnWords& own)
      : wiring_(&wiring), fan_(&fan), counts_(fan.listed().size() * SourceTree::kBlock),
        first_(fan.listed().size(), 0), cells_(fan.listed().size(), Cell(own)) {}

  /// Sources one after the other, from 0 on.
  const WordRow<Word>& read(std::uint32_t source) {
    const ListedRows& listed = fan_->listed();
    const std::uint32_t in_block = source % SourceTree::kBlock;
    row_.clear();
    for (std::size_t i = 0; i < listed.size(); ++i) {
      if (listed.cell_width(i) > 0) {
        read_cell(i, source);
        continue;
      }
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
  struct Cell {
    explicit Cell(const OwnWords& own) : sort(own) {}
    CellSort<Word> sort;
    std::vector<Word> words;
    std::vector<std::uint32_t> places;
    std::vector<std::uint16_t> groups;
  };

  void read_cell(std::size_t i, std::uint32_t source) {
    const std::uint32_t width = fan_->listed().cell_width(i), place = source % width;
    Cell& cell = cells_[i];
    if (place == 0) {
      cell.sort.clear();
      cell.sort.add(fan_->listed(), i, source, width, fan_->sources());
      cell.words.resize(cell.sort.size());
      cell.places.resize(cell.sort.size());
      cell.groups.resize(cell.sort.size());
      cell.sort.sort(width, cell.words.data(), cell.places.data(), cell.groups.data());
    }
    const std::uint32_t begin = cell.sort.begin()[place], end = cell.sort.begin()[place + 1];
    row_.append(cell.words.data() + begin, cell.groups.data() + begin, end - begin);
  }

  const Wiring* wiring_;
  const Fan* fan_;
  std::vector<std::uint32_t> counts_, first_;
  std::vector<Cell> cells_;
  WordRow<Word> row_;
};

/// Whether all of a fan is cells of one delay group, so that short rows can be written cell by cell.
bool only_cells(const Fan& fan) {
  const ListedRows& listed = fan.listed();
  if (fan.uniform_bundles() > 0 || listed.size() == 0) return false;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (listed.cell_width(i) == 0 || !listed.one_group(i) || listed.first_group(i) != listed.first_group(0)) return false;
  }
  return true;
}

/// Rows of a fan that is only cells: the widest cell at a time, of all bundles, and at least a cell's worth of items.
template <class Word>
void write_cells(const Fan& fan, RowWriter<Word>& writer, RowPlaces& places) {
  const ListedRows& listed = fan.listed();
  const std::uint32_t group = listed.first_group(0);
  std::uint32_t width = places.block_sources();
  for (std::size_t i = 0; i < listed.size(); ++i) width = std::max(width, listed.cell_width(i));
  CellSort<Word> sort(writer.own());
  std::vector<std::uint32_t> sorted;
  std::vector<Word> words;
  for (std::uint32_t at = 0; at < fan.sources(); at += std::min(width, fan.sources() - at)) {
    sort.clear();
    for (std::size_t i = 0; i < listed.size(); ++i) sort.add(listed, i, at, width, fan.sources());
    const std::size_t n = sort.size(), position = writer.position();
    const std::uint32_t sources = std::min(width, fan.sources() - at);
    if (sorted.size() < n) sorted.resize(n + n / 2);
    if (places.is_short()) {
      sort.sort(width, writer.append(n), sorted.data(), nullptr);
      for (std::uint32_t block = 0; block < sources; block += places.block_sources()) {
        places.begin(at + block, position + sort.begin()[block]);
      }
      places.add_block(at, sorted.data(), n, group);
      continue;
    }
    if (words.size() < n) words.resize(n + n / 2);
    sort.sort(width, words.data(), sorted.data(), nullptr);
    for (std::uint32_t s = 0; s < sources; ++s) {
      places.begin(at + s, writer.position());
      writer.add_row(words.data() + sort.begin()[s], sort.begin()[s + 1] - sort.begin()[s], group);
    }
  }
}

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
    const OwnWords own(*input.wiring, *input.layout);
    RowWriter<Word> writer(*input.wiring, *input.units, own, expected_words(input, holds));
    for (const Fan& fan : make_fans(*input.wiring, *input.units, *input.layout, holds)) {
      rows_.emplace_back(fan.first_source(), fan.sources(), fan.expected_synapses(), fan.several_groups());
      write_fan(*input.wiring, fan, writer, rows_.back());
    }
    synapses_ = writer.synapses();
    words_ = writer.take();
  }

  void receive(std::int64_t step, SpikeLists lists) override {
    in_flight_.of_step(step).clear();
    receive_more(step, lists);
  }

  // A row's place and its first header are looked up in passes of their own, so that the cache misses
  // of all spikes overlap. Lists come population after population, so fans change seldom.
  void receive_more(std::int64_t step, SpikeLists lists) override {
    std::vector<InFlight::Cursor>& cursors = in_flight_.of_step(step);
    const std::size_t before = cursors.size();
    short_spikes_.clear();
    if (rows_.empty()) return;
    const RowPlaces* rows = rows_.data();
    for (const auto spikes : lists) {
      for (const std::uint32_t source : spikes) {
        if (!rows->holds(source) && (rows = find(source)) == nullptr) {
          rows = rows_.data();
          continue;
        }
        if (rows->is_short()) {
          rows->prefetch_block(source);
          short_spikes_.push_back({rows, source});
          continue;
        }
        const std::uint32_t begin = rows->row(source);
        if (begin == rows->row_end(source)) continue;
        prefetch(words_.data() + begin);
        cursors.push_back({begin, 0});
      }
    }
    for (InFlight::Cursor& cursor : std::span(cursors).subspan(before)) {
      cursor.header = row_header::in(words_[cursor.words++]);
    }
    if (!short_spikes_.empty()) receive_short(cursors);
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

  void visit_row(std::uint32_t source, RowVisitor& visitor) const override {
    const RowPlaces* rows = find(source);
    if (rows == nullptr || rows->empty(source)) return;
    const auto show = [&](std::size_t begin, std::uint32_t header) {
      visitor.visit(row_header::group(header), std::span<const Word>(words_.data() + begin, row_header::count(header)));
    };
    if (rows->is_short()) return rows->for_each_run(source, [&](InFlight::Cursor run) { show(run.words, run.header); });
    for (std::size_t at = rows->row(source); at < rows->row_end(source);) {
      const std::uint32_t header = row_header::in(words_[at++]);
      show(at, header);
      at += row_header::count(header);
    }
  }
  void drop_words() override { words_ = AlignedArray<Word>(); }
  void park(ScratchFile& file) override {
    parked_words_.park(file, words_);
    for (RowPlaces& rows : rows_) rows.park(file);
  }
  void unpark(const ScratchFile& file) override {
    parked_words_.unpark(file, words_);
    for (RowPlaces& rows : rows_) rows.unpark(file);
  }

  bool reaches(std::uint32_t source) const override {
    const RowPlaces* rows = find(source);
    return rows != nullptr && !rows->empty(source);
  }
  std::uint64_t synapses() const override { return synapses_; }
  std::uint64_t bytes() const override {
    std::uint64_t total = words_.bytes();
    for (const RowPlaces& rows : rows_) total += rows.bytes();
    return total;
  }

 private:
  static void write_fan(const Wiring& wiring, const Fan& fan, RowWriter<Word>& writer, RowPlaces& places) {
    if (only_cells(fan)) {
      write_cells(fan, writer, places);
      return places.finish(writer.position());
    }
    std::vector<std::uint16_t> records(SourceTree::kBlock * fan.record_size() + kBundlePadding);
    ListedReader<Word> listed(wiring, fan, writer.own());
    for (std::uint32_t i = 0; i < fan.sources(); ++i) {
      const std::uint32_t in_block = i % SourceTree::kBlock;
      if (in_block == 0) fan.count_block(i / SourceTree::kBlock, records.data());
      writer.write(fan, i, records.data() + in_block * fan.record_size(), listed.read(i), places);
    }
    places.finish(writer.position());
  }

  /// The fan of a source, or null where nothing of it lands here.
  [[nodiscard]] const RowPlaces* find(std::uint32_t source) const {
    const auto after = std::upper_bound(rows_.begin(), rows_.end(), source, [](std::uint32_t s, const RowPlaces& rows) {
      return s < rows.first_source();
    });
    return after == rows_.begin() || !std::prev(after)->holds(source) ? nullptr : &*std::prev(after);
  }

  void receive_short(std::vector<InFlight::Cursor>& cursors) {
    constexpr std::size_t kAhead = 16;
    const auto bytes = [this](std::size_t i) {
      if (i < short_spikes_.size()) short_spikes_[i].rows->prefetch_bytes(short_spikes_[i].source);
    };
    for (std::size_t i = 0; i < kAhead; ++i) bytes(i);
    for (std::size_t i = 0; i < short_spikes_.size(); ++i) {
      bytes(i + kAhead);
      short_spikes_[i].rows->for_each_run(short_spikes_[i].source, [&](InFlight::Cursor cursor) {
        prefetch(words_.data() + cursor.words);
        cursors.push_back(cursor);
      });
    }
  }

  struct ShortSpike {
    const RowPlaces* rows;
    std::uint32_t source;
  };
  AlignedArray<Word> words_;
  ParkedArray parked_words_;
  std::vector<RowPlaces> rows_;            ///< fans, in the order of their sources
  std::vector<ShortSpike> short_spikes_;   ///< of the step being received
  RingShape shape_;
  InFlight in_flight_;
  std::vector<VisitOf<Word>> visits_;
  std::uint64_t synapses_ = 0;
};

}  // namespace

std::unique_ptr<RowStore> make_stored_rows(const RowStoreInput& input, const BundleChoice& stored) {
  const WeightUnits& units = *input.units;
  const BundleChoice narrow = [&](const Bundle& b) { return stored(b) && !units.wide[b.projection]; };
  const BundleChoice wide = [&](const Bundle& b) { return stored(b) && units.wide[b.projection]; };
  auto packed = std::make_unique<StoredRows<std::uint32_t>>(input, narrow);
  if (!lands_on(input, wide)) return packed;
  return make_pair_of_rows(std::move(packed), std::make_unique<StoredRows<WideWord>>(input, wide));
}

}  // namespace tessera
