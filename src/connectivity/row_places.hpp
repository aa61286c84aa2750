// Where the stored rows of one fan lie. Long rows: a table over the sources. Short ones: words in the order
// of their sources, in blocks of consecutive sources with about a hundred words; a byte per word says
// which source of the block it belongs to. So the index grows with synapses where these are fewer than
// sources: five bytes a synapse in all, six or seven where delays have several groups.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_array.hpp"
#include "base/prefetch.hpp"
#include "base/scratch_file.hpp"
#include "connectivity/in_flight.hpp"

namespace tessera {

class RowPlaces {
 public:
  /// Expected words per source below which rows are short.
  static constexpr double kShortRow = 8.0;

  /// Rows of sources first_source .. first_source + sources - 1 (global ids) that have `words` words together,
  /// about. `groups`: more than one delay group may occur.
  RowPlaces(std::uint32_t first_source, std::uint32_t sources, double words, bool groups);

  [[nodiscard]] bool holds(std::uint32_t source) const { return source - first_source_ < sources_; }
  [[nodiscard]] std::uint32_t first_source() const { return first_source_; }
  [[nodiscard]] bool is_short() const { return short_; }

  // Building: rows of ascending sources (counted from the fan's first one), then finish().
  /// The next rows begin at word `at`; all sources before `source` are done.
  void begin(std::uint32_t source, std::size_t at);
  /// Short rows: n words of a source follow, all of one delay group.
  void add(std::uint32_t source, std::uint32_t group, std::size_t n);
  /// Short rows of many sources at once, a word each: their places inside the block that begins at
  /// block_begin (a multiple of block_sources()), ascending.
  void add_block(std::uint32_t block_begin, const std::uint32_t* places, std::size_t n, std::uint32_t group);
  void finish(std::size_t at);

  /// Sources per block of short rows.
  [[nodiscard]] std::uint32_t block_sources() const { return 1u << shift_; }

  // Looking up: a global id that it holds.
  [[nodiscard]] bool empty(std::uint32_t source) const;
  /// Long rows: begin of the row; it has words where the next one begins elsewhere.
  [[nodiscard]] std::uint32_t row(std::uint32_t source) const { return begin_[source - first_source_]; }
  [[nodiscard]] std::uint32_t row_end(std::uint32_t source) const { return begin_[source - first_source_ + 1]; }
  /// Short rows, in three steps so that the cache misses of many spikes overlap: the block's bounds, its
  /// bytes, and then a cursor for every run of words with one source and one delay group.
  void prefetch_block(std::uint32_t source) const { tessera::prefetch(begin_.data() + ((source - first_source_) >> shift_)); }
  void prefetch_bytes(std::uint32_t source) const {
    tessera::prefetch(place_.data() + begin_[(source - first_source_) >> shift_] - base_);
  }
  template <class Visit>
  void for_each_run(std::uint32_t source, const Visit& visit) const {
    const std::uint32_t s = source - first_source_, block = s >> shift_;
    const auto place = static_cast<std::uint8_t>(s & (block_sources() - 1));
    const std::uint32_t from = begin_[block] - base_, to = begin_[block + 1] - base_;
    for (std::uint32_t i = find(place, from, to); i < to && place_[i] == place;) {
      const std::uint32_t group = groups_ ? group_[i] : group_of_all_;
      std::uint32_t n = 1;
      while (i + n < to && place_[i + n] == place && (!groups_ || group_[i + n] == group)) ++n;
      visit(InFlight::Cursor{base_ + i, row_header::make(n, group) | row_header::kLast});
      i += n;
    }
  }

  /// What rows of so many synapses take beside their words: headers (words of long rows), and bytes of the index.
  [[nodiscard]] static double expected_headers(double sources, double synapses, double groups);
  [[nodiscard]] static double expected_bytes(double sources, double synapses, bool several_groups);

  /// Moves the tables into a file, and back.
  void park(ScratchFile& file) {
    parked_[0].park(file, begin_);
    parked_[1].park(file, place_);
    parked_[2].park(file, group_);
  }
  void unpark(const ScratchFile& file) {
    parked_[0].unpark(file, begin_);
    parked_[1].unpark(file, place_);
    parked_[2].unpark(file, group_);
  }

  [[nodiscard]] std::size_t bytes() const { return begin_.bytes() + place_.bytes() + group_.bytes(); }

 private:
  [[nodiscard]] std::uint32_t find(std::uint8_t place, std::uint32_t from, std::uint32_t to) const;
  void make_room(std::size_t n);

  std::uint32_t first_source_, sources_;
  bool short_, groups_;
  std::uint32_t shift_ = 0;
  std::uint32_t next_ = 0;                ///< entries of begin_ that are known
  std::uint32_t base_ = 0;                ///< first word of short rows
  std::uint32_t group_of_all_ = 0;        ///< of short rows without groups
  std::size_t size_ = 0;                  ///< short rows: words so far
  AlignedArray<std::uint32_t> begin_;     ///< per source or block, and after the last
  AlignedArray<std::uint8_t> place_;      ///< per word of short rows
  AlignedArray<std::uint16_t> group_;     ///< likewise, with groups
  ParkedArray parked_[3];
};

}  // namespace tessera
