// What puts the draws of corrected bundles right: rows like stored ones, a few words per hundred synapses. A word
// with the opposite weight takes a draw back.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/prefetch.hpp"
#include "connectivity/in_flight.hpp"
#include "connectivity/row_store.hpp"
#include "kernels/deliver.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

/// Row format: that of in_flight.hpp, but the first word of a block weighs nothing. Its place says how many of
/// the words behind it take something back: a draw and what takes it back are no events.
template <class Word>
class CorrectionRows final : public RowStore {
  [[nodiscard]] auto base() const {
    return [words = words_.data()](std::int64_t) { return words; };
  }

 public:
  CorrectionRows(const RowStoreInput& input, const BundleChoice& holds)
      : shape_(input.wiring->ring_shape()), in_flight_(shape_, input.wiring->max_delay_steps(), input.exchange_steps) {
    taken_back_.assign((input.wiring->max_delay_steps() - 1) / shape_.steps() + 1, 0);
    for (const Fan& fan : make_fans(*input.wiring, *input.units, *input.layout, holds, true)) {
      fans_.push_back({fan.first_source(), fan.sources(), static_cast<std::uint32_t>(row_begin_.size())});
      std::vector<std::uint16_t> records(SourceTree::kBlock * fan.record_size() + kBundlePadding);
      for (std::uint32_t source = 0; source < fan.sources(); ++source) {
        const std::uint32_t in_block = source % SourceTree::kBlock;
        if (in_block == 0) fan.count_block(source / SourceTree::kBlock, records.data());
        row_begin_.push_back(position());
        write(fan, source, records.data() + in_block * fan.record_size());
      }
      row_begin_.push_back(position());
    }
    row_begin_.shrink_to_fit();
    words_.resize(words_.size() + 64 / sizeof(Word));  // prefetches look past the end
    words_.shrink_to_fit();
    row_ = {};
  }

  void receive(std::int64_t step, SpikeLists lists) override {
    in_flight_.of_step(step).clear();
    receive_more(step, lists);
  }

  void receive_more(std::int64_t step, SpikeLists lists) override {
    std::vector<InFlight::Cursor>& cursors = in_flight_.of_step(step);
    const std::size_t before = cursors.size();
    const Rows* fan = fans_.data();  // lists come population after population
    for (const auto spikes : lists) {
      for (const std::uint32_t source : spikes) {
        if (source - fan->first_source >= fan->sources) fan = find(source);
        if (fan == nullptr) {
          fan = fans_.data();
          continue;
        }
        const std::uint32_t* begin = row_begin_.data() + fan->first_row + (source - fan->first_source);
        if (begin[0] == begin[1]) continue;
        prefetch(words_.data() + begin[0]);
        cursors.push_back({begin[0], 0});
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
    for (const VisitOf<Word>& visit : visits_) {
      counters_.synaptic_events += visit.count - 1 - 2 * std::uint64_t{row_header::in(*visit.words)};
    }
  }

  bool reaches(std::uint32_t source) const override { return find(source) != nullptr; }
  std::uint64_t synapses() const override { return 0; }
  std::uint64_t bytes() const override {
    return words_.capacity() * sizeof(Word) + row_begin_.capacity() * sizeof(row_begin_[0]);
  }

 private:
  /// The rows of a fan's sources begin at row_begin_[first_row ...], and end where the next one begins.
  struct Rows {
    std::uint32_t first_source, sources, first_row;
  };
  [[nodiscard]] const Rows* find(std::uint32_t source) const {
    for (const Rows& fan : fans_) {
      if (source - fan.first_source < fan.sources) return &fan;
    }
    return nullptr;
  }

  [[nodiscard]] std::uint32_t position() const {
    if (words_.size() > UINT32_MAX) throw InputError("A tile has too many corrections of its rows; use more tiles.");
    return static_cast<std::uint32_t>(words_.size());
  }

  void write(const Fan& fan, std::uint32_t source, const std::uint16_t* record) {
    const ListedRows& listed = fan.listed();
    row_.clear();
    std::fill(taken_back_.begin(), taken_back_.end(), 0);
    for (std::size_t i = 0; i < listed.size(); ++i) {
      if (listed.column(i) == ListedRows::kNoColumn) continue;
      per_group_.clear();
      for (std::uint32_t g = listed.first_group(i); g < listed.first_group(i) + listed.groups(i); ++g) {
        per_group_.push_back(record[(g - fan.first_group()) * fan.uniform_bundles() + listed.column(i)]);
      }
      listed.correct(i, source, per_group_.data(), row_, taken_back_.data());
    }
    row_.sort();
    const Word* words = row_.words();
    for (const RowPart& part : row_.parts()) {
      const bool last = &part == &row_.parts().back();
      words_.insert(words_.end(), 2, Word{});
      row_header::in(words_[words_.size() - 2]) = row_header::make(part.count + 1, part.group) | (last ? row_header::kLast : 0);
      row_header::in(words_.back()) = taken_back_[part.group];
      words_.insert(words_.end(), words, words + part.count);
      words += part.count;
    }
  }

  RingShape shape_;
  InFlight in_flight_;
  std::vector<Rows> fans_;
  std::vector<std::uint32_t> row_begin_;
  std::vector<Word> words_;
  std::vector<VisitOf<Word>> visits_;
  WordRow<Word> row_;
  std::vector<std::uint32_t> per_group_, taken_back_;
};

}  // namespace

std::unique_ptr<RowStore> make_correction_rows(const RowStoreInput& input) {
  const auto& units = *input.units;
  const BundleChoice narrow = [&units](const Bundle& b) { return units.corrected_by_group(b) && !units.wide[b.projection]; };
  const BundleChoice wide = [&units](const Bundle& b) { return units.corrected_by_group(b) && units.wide[b.projection]; };
  std::unique_ptr<RowStore> packed, wide_rows;
  if (lands_on(input, narrow)) packed = std::make_unique<CorrectionRows<std::uint32_t>>(input, narrow);
  if (lands_on(input, wide)) wide_rows = std::make_unique<CorrectionRows<WideWord>>(input, wide);
  if (packed && wide_rows) return make_pair_of_rows(std::move(packed), std::move(wide_rows));
  return packed ? std::move(packed) : std::move(wide_rows);
}

}  // namespace tessera
