// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/listed_rows.hpp"

#include <algorithm>
#include <type_traits>

#include "connectivity/in_flight.hpp"

namespace tessera {
namespace {

void make_word(std::uint32_t place, std::int32_t weight_units, std::uint32_t& word) {
  word = packed_word(place, 0, weight_units);
}
void make_word(std::uint32_t place, std::int32_t weight_units, WideWord& word) { word = {place, weight_units}; }

/// Where kernels write the words of a row: in their place or, of wide words, entries.
std::uint32_t* packed_words(std::vector<std::uint32_t>& words, std::vector<std::uint32_t>&) { return words.data(); }
std::uint32_t* packed_words(std::vector<WideWord>& words, std::vector<std::uint32_t>& entries) {
  if (entries.size() < words.size()) entries.resize(words.size());
  return entries.data();
}

}  // namespace


template <class Word>
void WordRow<Word>::make_room(std::size_t n) {
  const std::size_t wanted = size_ + n + kRowPadding;
  if (words_.size() >= wanted) return;
  words_.resize(wanted + wanted / 2);
  if (groups_.size() < words_.size()) groups_.resize(words_.size());
}

template <class Word>
void WordRow<Word>::append(const Word* words, const std::uint16_t* groups, std::size_t n) {
  if (n == 0) return;
  make_room(n);
  std::copy_n(words, n, words_.data() + size_);
  std::copy_n(groups, n, groups_.data() + size_);
  const auto [lowest, highest] = std::minmax_element(groups, groups + n);
  expect(*lowest, *highest);
  size_ += n;
}

template <class Word>
void WordRow<Word>::sort() {
  parts_.clear();
  if (size_ == 0) return;
  if (lowest_ == highest_) {
    parts_.push_back({lowest_, static_cast<std::uint32_t>(size_)});
    return;
  }
  // Neighbours are often in one group: two counters do not wait for each other.
  const std::uint32_t span = highest_ - lowest_ + 1;
  count_.assign(span, 0);
  count_odd_.assign(span, 0);
  const std::uint16_t* groups = groups_.data();
  const std::size_t pairs = size_ / 2 * 2;
  for (std::size_t k = 0; k < pairs; k += 2) {
    ++count_[groups[k] - lowest_];
    ++count_odd_[groups[k + 1] - lowest_];
  }
  if (pairs < size_) ++count_[groups[pairs] - lowest_];
  std::uint32_t before = 0;
  for (std::uint32_t g = 0; g < span; ++g) {
    const std::uint32_t even = count_[g], all = even + count_odd_[g];
    if (all > 0) parts_.push_back({lowest_ + g, all});
    count_[g] = before;
    count_odd_[g] = before + even;
    before += all;
  }
  if (sorted_.size() < words_.size()) sorted_.resize(words_.size());
  for (std::size_t k = 0; k < pairs; k += 2) {
    sorted_[count_[groups[k] - lowest_]++] = words_[k];
    sorted_[count_odd_[groups[k + 1] - lowest_]++] = words_[k + 1];
  }
  if (pairs < size_) sorted_[count_[groups[pairs] - lowest_]++] = words_[pairs];
  words_.swap(sorted_);
}

void ListedRows::add(const Wiring& wiring, const WeightUnits& units, const Bundle& bundle, const BlockLayout& block) {
  wiring_ = &wiring;
  units_ = &units;
  Listed listed;
  listed.bundle = &bundle;
  listed.block = &block;
  if (wiring.is_explicit(bundle)) {
    bundles_.push_back(std::move(listed));
    return;
  }
  for (const double value : wiring.weights(bundle).values) {
    listed.weights.push_back(units.units_of(value, bundle.targets.population));
  }
  listed.weight = listed.weights.front();
  const bool same = std::all_of(listed.weights.begin(), listed.weights.end(),
                                [&](std::int32_t weight) { return weight == listed.weight; });
  if (same && bundle.drawing == Bundle::Drawing::listed) listed.weights.clear();
  if (has_distance_delay(wiring.projection(bundle))) {
    listed.by_distance = true;
    bundles_.push_back(std::move(listed));
    return;
  }
  const DelayTable& delays = wiring.delays(bundle);
  listed.first_group = delays.first_group;
  listed.groups = delays.groups;
  listed.one_group = delays.groups == 1;
  listed.step_place = wiring.ring_shape().row(delays.min_steps - 1);
  if (delays.min_steps < delays.max_steps || bundle.drawing == Bundle::Drawing::uniform) {
    for (std::uint32_t g = 0; g < delays.groups; ++g) {
      listed.codes.push_back(static_cast<std::int32_t>(wiring.step_code(bundle, delays.first_group + g)));
    }
  }
  listed.thresholds.assign(delays.group_thresholds.begin(), delays.group_thresholds.end());
  listed.thresholds.resize(padded_groups(delays.groups), 1 << 16);
  bundles_.push_back(std::move(listed));
}

RowValues ListedRows::values_of(const Listed& listed) const {
  RowValues values;
  values.weights = listed.weights.empty() ? nullptr : listed.weights.data();
  values.weight = listed.weight;
  values.positive_slot = listed.block->positive_slot;
  values.negative_slot = listed.block->negative_slot;
  values.thresholds = listed.thresholds.data();
  values.groups = listed.groups;
  values.codes = listed.codes.empty() ? nullptr : listed.codes.data();
  values.steps = wiring_->step_tables().empty() ? nullptr : wiring_->step_tables().data();
  values.step_place = listed.step_place;
  return values;
}

template <class Word>
void ListedRows::draw(std::size_t i, std::uint32_t source, Wiring::Share share, WordRow<Word>& row) const {
  const Listed& listed = bundles_[i];
  const Bundle& bundle = *listed.bundle;
  if (bundle.drawing == Bundle::Drawing::uniform) return draw_uniform(listed, source, row);
  if (wiring_->is_explicit(bundle)) return draw_explicit(listed, source, row);
  if (wiring_->cells(bundle) != nullptr) return draw_from_cell(listed, source, row);
  wiring_->list_targets(bundle, source, share, row.targets_);
  const std::size_t first = row.size_;
  pack(listed, source, row);
  if (!listed.by_distance) return;
  const RingShape shape = wiring_->ring_shape();
  for (std::size_t k = first; k < row.size_; ++k) {
    const std::uint32_t d = wiring_->distance_delay_steps(bundle, source, row.targets_.targets()[k - first]) - 1;
    row_header::in(row.words_[k]) |= shape.row(d);
    row.groups_[k] = static_cast<std::uint16_t>(d >> shape.step_bits);
    row.expect(row.groups_[k], row.groups_[k]);
  }
}

/// Appends words and groups of the row's targets; weights and delays are keyed by `key_source`.
template <class Word>
void ListedRows::pack(const Listed& listed, std::uint32_t key_source, WordRow<Word>& row) const {
  const std::uint32_t n = row.targets_.size();
  if (n == 0) return;
  row.make_room(n);
  std::uint16_t* groups = row.groups_.data() + row.size_;
  RowValues values = values_of(listed);
  values.entries = std::is_same_v<Word, WideWord>;
  std::uint32_t* words = packed_words(row.words_, row.entries_) + row.size_;
  pack_row(values, {wiring_->key(), key_source, listed.bundle->id}, row.targets_.targets(), n, words, groups);
  if constexpr (std::is_same_v<Word, WideWord>) {
    for (std::uint32_t k = 0; k < n; ++k) {
      row.words_[row.size_ + k] = {words[k] & kRingMask,
                                   listed.weights.empty() ? listed.weight : listed.weights[words[k] >> kWeightShift]};
    }
  }
  row.size_ += n;
  if (listed.by_distance) return;  // the caller knows them
  row.expect(listed.first_group, listed.first_group + listed.groups - 1);
  if (listed.first_group > 0) {
    for (std::uint32_t k = 0; k < n; ++k) groups[k] = static_cast<std::uint16_t>(groups[k] + listed.first_group);
  }
}

template <class Word>
void ListedRows::draw_cell(std::size_t i, std::uint32_t cell, WordRow<Word>& row, std::vector<std::uint32_t>& places) const {
  const Listed& listed = bundles_[i];
  const SourceCells& cells = *wiring_->cells(*listed.bundle);
  const std::uint32_t n = cells.count(cell);
  if (places.size() < cells.room(cell)) places.resize(cells.room(cell));
  cells.places(cell, places.data());
  stub_targets(wiring_->stubs(*listed.bundle), cells.first(cell), n, row.targets_.start(n));
  row.targets_.resize(n);
  pack(listed, cell, row);
}

/// The synapses of one source of a cell: of all items, those that fall on it. Where nothing but the target is
/// drawn, the others need no target either.
template <class Word>
void ListedRows::draw_from_cell(const Listed& listed, std::uint32_t source, WordRow<Word>& row) const {
  const SourceCells& cells = *wiring_->cells(*listed.bundle);
  const std::uint32_t cell = cells.cell_of(source), n = cells.count(cell), place = source - cells.begin(cell);
  if (row.places_.size() < cells.room(cell)) row.places_.resize(cells.room(cell));
  cells.places(cell, row.places_.data());
  const StubPermutation stubs = wiring_->stubs(*listed.bundle);
  std::uint32_t* targets = row.targets_.start(n);
  if (listed.weights.empty() && listed.codes.empty() && listed.groups == 1) {
    std::uint32_t mine = 0;
    for (std::uint32_t k = 0; k < n; ++k) {
      if (row.places_[k] == place) stub_targets(stubs, cells.first(cell) + k, 1, targets + mine++);
    }
    row.targets_.resize(mine);
    return pack(listed, cell, row);
  }
  stub_targets(stubs, cells.first(cell), n, targets);
  row.targets_.resize(n);
  const std::size_t first = row.size_;
  pack(listed, cell, row);
  row.size_ = first;
  for (std::uint32_t k = 0; k < n; ++k) {
    if (row.places_[k] != place) continue;
    row.words_[row.size_] = row.words_[first + k];
    row.groups_[row.size_++] = row.groups_[first + k];
  }
}

/// A bundle that is drawn group by group, of a projection whose weights no packed word can name.
template <class Word>
void ListedRows::draw_uniform(const Listed& listed, std::uint32_t source, WordRow<Word>& row) const {
  const Bundle& bundle = *listed.bundle;
  const bool negative = wiring_->weights(bundle).values.front() < 0.0;
  std::uint32_t stream[1 + kBundlePadding] = {bundle.id};
  std::uint32_t place[1 + kBundlePadding] = {(negative ? listed.block->negative_slot : listed.block->positive_slot) |
                                             bundle.targets.size << 16};
  std::vector<std::uint32_t> per_group(listed.groups);
  wiring_->split_delays(bundle, source, wiring_->count(bundle, source), per_group.data());
  const DrawTables tables{listed.weights.data(), wiring_->step_tables().empty() ? nullptr : wiring_->step_tables().data()};
  row.expect(listed.first_group, listed.first_group + listed.groups - 1);
  for (std::uint32_t g = 0; g < listed.groups; ++g) {
    std::uint16_t counts[1 + kBundlePadding] = {static_cast<std::uint16_t>(per_group[g])};
    std::uint32_t steps[1 + kBundlePadding] = {static_cast<std::uint32_t>(listed.codes[g])};
    row.make_room(4 * DrawQueue::kCapacity + DrawQueue::kSlack);
    row.queue_.size = 0;
    (void)enqueue(row.queue_, {1, stream, place}, 0, counts, steps, source, listed.first_group + g);
    const std::size_t n = draw_words(row.queue_, wiring_->key(), tables, row.words_.data() + row.size_);
    std::fill_n(row.groups_.begin() + static_cast<std::ptrdiff_t>(row.size_), n,
                static_cast<std::uint16_t>(listed.first_group + g));
    row.size_ += n;
  }
}

template <class Word>
void ListedRows::draw_explicit(const Listed& listed, std::uint32_t source, WordRow<Word>& row) const {
  const RingShape shape = wiring_->ring_shape();
  std::vector<RowSynapse> synapses;
  wiring_->list_row(*listed.bundle, source, synapses);
  row.make_room(synapses.size());
  for (const RowSynapse& synapse : synapses) {
    const std::uint32_t base = synapse.weight < 0.0 ? listed.block->negative_slot : listed.block->positive_slot;
    const std::uint32_t d = synapse.delay_steps - 1;
    make_word(base + synapse.target + shape.row(d), units_->units_of(synapse.weight, listed.bundle->targets.population),
              row.words_[row.size_]);
    row.expect(d >> shape.step_bits, d >> shape.step_bits);
    row.groups_[row.size_++] = static_cast<std::uint16_t>(d >> shape.step_bits);
  }
}

template class WordRow<std::uint32_t>;
template class WordRow<WideWord>;
template void ListedRows::draw(std::size_t, std::uint32_t, Wiring::Share, WordRow<std::uint32_t>&) const;
template void ListedRows::draw(std::size_t, std::uint32_t, Wiring::Share, WordRow<WideWord>&) const;
template void ListedRows::draw_cell(std::size_t, std::uint32_t, WordRow<std::uint32_t>&, std::vector<std::uint32_t>&) const;
template void ListedRows::draw_cell(std::size_t, std::uint32_t, WordRow<WideWord>&, std::vector<std::uint32_t>&) const;

}  // namespace tessera
