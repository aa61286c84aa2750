// The bundles of a fan that are drawn row by row: how their targets become packed words.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "connectivity/corrections.hpp"
#include "connectivity/row_counts.hpp"
#include "connectivity/tile_layout.hpp"
#include "connectivity/weight_units.hpp"
#include "kernels/draw_rows.hpp"
#include "kernels/row_targets.hpp"

namespace tessera {

/// Consecutive words of one delay group.
struct RowPart {
  std::uint32_t group = 0, count = 0;
};

/// Words of a row, packed or wide, with their delay groups: as they are drawn, then in order of groups.
template <class Word>
class WordRow {
 public:
  void clear() {
    size_ = 0;
    lowest_ = UINT32_MAX, highest_ = 0;
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Word* words() const { return words_.data(); }
  [[nodiscard]] const std::uint16_t* groups() const { return groups_.data(); }
  void append(const Word* words, const std::uint16_t* groups, std::size_t n);
  /// Orders the words by group. The parts are in ascending order, none is empty.
  void sort();
  [[nodiscard]] const std::vector<RowPart>& parts() const { return parts_; }

 private:
  friend class ListedRows;
  /// Room for n more words and what kernels write behind them.
  void make_room(std::size_t n);
  /// Words that come may be in any of these groups.
  void expect(std::uint32_t lowest, std::uint32_t highest) {
    lowest_ = std::min(lowest_, lowest);
    highest_ = std::max(highest_, highest);
  }
  std::size_t size_ = 0;
  std::uint32_t lowest_ = UINT32_MAX, highest_ = 0;
  std::vector<Word> words_, sorted_;
  std::vector<std::uint16_t> groups_;
  std::vector<RowPart> parts_;
  std::vector<std::uint32_t> count_, count_odd_;  ///< per group, of every second word, while sorting
  TargetRow targets_;
  std::vector<std::uint32_t> places_;   ///< of a cell's items
  std::vector<std::uint32_t> draws_, draws_begin_;  ///< of rows that are drawn as one
  RepeatedTargets repeated_;
  std::vector<Word> drawn_;               ///< of a corrected bundle while its corrections are looked for
  std::vector<std::uint32_t> per_group_;
  std::vector<std::uint32_t> index_, blocks_;
  std::vector<std::uint32_t> entries_;  ///< wide words: places and what their weights are
  DrawQueue queue_{};
};

class ListedRows {
 public:
  static constexpr std::uint32_t kNoColumn = UINT32_MAX;
  /// `column`: where somebody else draws the row group by group and only its corrections are asked for.
  void add(const Wiring& wiring, const WeightUnits& units, const Bundle& bundle, const BlockLayout& block,
           std::uint32_t column = kNoColumn);

  [[nodiscard]] std::size_t size() const { return bundles_.size(); }
  [[nodiscard]] const Bundle& bundle(std::size_t i) const { return *bundles_[i].bundle; }
  /// Whether all synapses of a bundle are in one delay group, so that a row can be drawn when it is due.
  [[nodiscard]] bool one_group(std::size_t i) const { return bundles_[i].one_group; }
  [[nodiscard]] std::uint32_t column(std::size_t i) const { return bundles_[i].column; }
  [[nodiscard]] std::uint32_t groups(std::size_t i) const { return bundles_[i].groups; }
  [[nodiscard]] std::uint32_t first_group(std::size_t i) const { return bundles_[i].first_group; }

  /// Appends the row of a source in bundle i; `share` as Wiring::share() gives it.
  template <class Word>
  void draw(std::size_t i, std::uint32_t source, Wiring::Share share, WordRow<Word>& row) const;

  /// Whether any item of bundle i, which has cells, falls on a source. `row` lends its room.
  template <class Word>
  [[nodiscard]] bool has_item(std::size_t i, std::uint32_t source, WordRow<Word>& row) const;

  /// Whether many rows of bundle i can be drawn as one: in-degrees whose synapses are a target and nothing else.
  [[nodiscard]] bool draws_together(std::size_t i) const;
  /// Appends the rows of n sources of such a bundle, mixed.
  template <class Word>
  void draw_together(std::size_t i, std::size_t n, const std::uint32_t* sources, const Wiring::Share* shares, WordRow<Word>& row) const;

  /// Sources per cell of bundle i (Wiring::cells()), or 0.
  [[nodiscard]] std::uint32_t cell_width(std::size_t i) const {
    return wiring_->cell_width(bundles_[i].bundle->projection);
  }
  /// Appends the rows of all sources of a cell in the order of its items; `places` gets the source of each,
  /// counted from the cell's first one (and what kernels write behind them).
  template <class Word>
  void draw_cell(std::size_t i, std::uint32_t cell, WordRow<Word>& row, std::vector<std::uint32_t>& places) const;
  /// Appends what makes the row of a source in bundle i, a corrected one, of its draws, of which every delay
  /// group has counts[group]: words that take back and words that add. Counts those that take back by group
  /// of the network in `taken_back`.
  template <class Word>
  void correct(std::size_t i, std::uint32_t source, const std::uint32_t* counts, WordRow<Word>& row,
               std::uint32_t* taken_back) const;

 private:
  struct Listed {
    const Bundle* bundle = nullptr;
    const BlockLayout* block = nullptr;
    std::uint32_t column = kNoColumn;
    bool one_group = false;
    bool by_distance = false;  ///< delays follow from it
    bool same_weight = false;
    bool indegree = false;     ///< what is put right is in a table
    std::uint32_t first_group = 0, groups = 1;
    std::vector<std::int32_t> weights, thresholds, codes;
    std::int32_t weight = 0;
    std::uint32_t slot = 0;        ///< of draws, which have weights of one sign
    std::uint32_t step_place = 0;
  };
  [[nodiscard]] RowValues values_of(const Listed& listed) const;
  [[nodiscard]] DrawnRow drawn_row(const Listed& listed, std::uint32_t source, const std::uint32_t* counts) const;
  template <class Word>
  void pack(const Listed& listed, std::uint32_t key_source, WordRow<Word>& row) const;
  std::uint32_t find_draws(const SourceCells& cells, std::uint32_t source, std::vector<std::uint32_t>& places, std::uint32_t* draws) const;
  template <class Word>
  void draw_from_cell(const Listed& listed, std::uint32_t source, WordRow<Word>& row) const;
  template <class Word>
  std::uint32_t draw_all(const Listed& listed, std::uint32_t source, const std::uint32_t* counts, std::vector<Word>& words,
                         std::size_t begin, DrawQueue& queue) const;
  template <class Word>
  void draw_grouped(const Listed& listed, std::uint32_t source, std::uint32_t count, WordRow<Word>& row) const;
  template <class Word>
  void put_right(const Listed& listed, std::uint32_t source, std::size_t begin, WordRow<Word>& row) const;
  template <class Word>
  void add_synapse(const Listed& listed, std::uint32_t source, std::uint32_t number, std::uint32_t target, WordRow<Word>& row) const;
  template <class Word>
  void take_back(const Listed& listed, std::uint32_t source, const std::uint32_t* counts, WordRow<Word>& row,
                 std::uint32_t* taken_back) const;
  template <class Word>
  void draw_explicit(const Listed& listed, std::uint32_t source, WordRow<Word>& row) const;

  const Wiring* wiring_ = nullptr;
  const WeightUnits* units_ = nullptr;
  std::vector<Listed> bundles_;
};

}  // namespace tessera
