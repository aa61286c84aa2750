// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/listed_rows.hpp"

#include <algorithm>
#include <type_traits>

#include "connectivity/in_flight.hpp"
#include "kernels/split_delays.hpp"

namespace tessera {
namespace {

void make_word(std::uint32_t place, std::int32_t weight_units, std::uint32_t& word) {
  word = packed_word(place, 0, weight_units);
}
void make_word(std::uint32_t place, std::int32_t weight_units, WideWord& word) { word = {place, weight_units}; }

/// The same synapse with the opposite weight.
std::uint32_t negative(std::uint32_t word) {
  return packed_word(word & kRingMask, 0, -(static_cast<std::int32_t>(word) >> kWeightShift));
}
WideWord negative(const WideWord& word) { return {word.place, -word.weight}; }

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
  if (words_.size() < wanted) words_.resize(wanted + wanted / 2);
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

void ListedRows::add(const Wiring& wiring, const WeightUnits& units, const Bundle& bundle, const BlockLayout& block,
                     std::uint32_t column) {
  wiring_ = &wiring;
  units_ = &units;
  Listed listed;
  listed.bundle = &bundle;
  listed.block = &block;
  listed.column = column;
  if (wiring.is_explicit(bundle)) {
    bundles_.push_back(std::move(listed));
    return;
  }
  for (const double value : wiring.weights(bundle).values) {
    listed.weights.push_back(units.units_of(value, bundle.targets.population));
  }
  listed.weight = listed.weights.front();
  listed.slot = wiring.weights(bundle).values.front() < 0.0 ? block.negative_slot : block.positive_slot;
  listed.indegree = wiring.projection(bundle).rule.kind == ConnectivityRule::Kind::fixed_indegree;
  const bool same = std::all_of(listed.weights.begin(), listed.weights.end(),
                                [&](std::int32_t weight) { return weight == listed.weight; });
  listed.same_weight = same;
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
  if (delays.min_steps < delays.max_steps || bundle.drawing != Bundle::Drawing::listed) {
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
  if (bundle.drawing != Bundle::Drawing::listed) {
    const bool shared = wiring_->counted(bundle);
    return draw_grouped(listed, source, shared ? share.count : wiring_->count(bundle, source), row);
  }
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

/// The synapses of one source of a cell: of all items, those that fall on it.
template <class Word>
void ListedRows::draw_from_cell(const Listed& listed, std::uint32_t source, WordRow<Word>& row) const {
  const SourceCells& cells = *wiring_->cells(*listed.bundle);
  const std::uint32_t cell = cells.cell_of(source), n = cells.count(cell), place = source - cells.begin(cell);
  if (row.places_.size() < cells.room(cell)) row.places_.resize(cells.room(cell));
  cells.places(cell, row.places_.data());
  const StubPermutation stubs = wiring_->stubs(*listed.bundle);
  std::uint32_t* targets = row.targets_.start(n);
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

template <class Word>
bool ListedRows::has_item(std::size_t i, std::uint32_t source, WordRow<Word>& row) const {
  const SourceCells& cells = *wiring_->cells(*bundles_[i].bundle);
  const std::uint32_t cell = cells.cell_of(source), place = source - cells.begin(cell);
  if (row.places_.size() < cells.room(cell)) row.places_.resize(cells.room(cell));
  cells.places(cell, row.places_.data());
  const auto end = row.places_.begin() + cells.count(cell);
  return std::find(row.places_.begin(), end, place) != end;
}

bool ListedRows::draws_together(std::size_t i) const {
  const Listed& listed = bundles_[i];
  const bool constant = listed.same_weight && listed.codes.empty() && listed.groups == 1 && !listed.by_distance;
  return listed.indegree && listed.bundle->drawing == Bundle::Drawing::listed && constant && !wiring_->is_inverted(*listed.bundle);
}

/// Writes those of a cell's items that fall on a source; returns how many. `draws` has room for the whole cell.
std::uint32_t ListedRows::find_draws(const SourceCells& cells, std::uint32_t source, std::vector<std::uint32_t>& places,
                                     std::uint32_t* draws) const {
  const std::uint32_t cell = cells.cell_of(source), n = cells.count(cell), place = source - cells.begin(cell), first = cells.first(cell);
  if (places.size() < cells.room(cell)) places.resize(cells.room(cell));
  cells.places(cell, places.data());
  std::uint32_t size = 0;
  for (std::uint32_t k = 0; k < n; ++k) {
    draws[size] = first + k;
    size += places[k] == place ? 1 : 0;
  }
  return size;
}

// Exceptions are applied from the last row to the first: what takes the place of a dropped target comes from behind
// all rows that are still to be looked at.
template <class Word>
void ListedRows::draw_together(std::size_t i, std::size_t n, const std::uint32_t* sources, const Wiring::Share* shares,
                               WordRow<Word>& row) const {
  const Listed& listed = bundles_[i];
  const SourceCells* const cells = wiring_->cells(*listed.bundle);
  std::size_t room = kRowPadding;
  for (std::size_t s = 0; s < n; ++s) room += cells != nullptr ? cells->count(cells->cell_of(sources[s])) : shares[s].count;
  if (row.draws_.size() < room) row.draws_.resize(2 * room);
  if (row.draws_begin_.size() < n) row.draws_begin_.resize(2 * n);
  std::uint32_t* const draws = row.draws_.data();
  std::uint32_t size = 0;
  for (std::size_t s = 0; s < n; ++s) {
    row.draws_begin_[s] = size;
    if (cells != nullptr) {
      size += find_draws(*cells, sources[s], row.places_, draws + size);
      continue;
    }
    const Wiring::Share share = shares[s];
    for (std::uint32_t k = 0; k < share.count; ++k) draws[size + k] = share.first + k;
    size += share.count;
  }
  const Exceptions& exceptions = wiring_->exceptions(*listed.bundle);
  std::uint32_t* const targets = row.targets_.start(size + n * exceptions.most_added());
  stub_targets_of(wiring_->stubs(*listed.bundle), draws, size, targets);
  for (std::size_t s = n; s-- > 0 && !exceptions.empty();) {
    exceptions.visit(sources[s], [&](std::uint32_t place) { targets[row.draws_begin_[s] + place] = targets[--size]; },
                     [&](std::uint32_t target) { targets[size++] = target; });
  }
  row.targets_.resize(size);
  pack(listed, 0, row);
}

DrawnRow ListedRows::drawn_row(const Listed& listed, std::uint32_t source, const std::uint32_t* counts) const {
  const Bundle& bundle = *listed.bundle;
  const ConnectivityRule& rule = wiring_->projection(bundle).rule;
  return {{wiring_->key(), source, bundle.id}, counts, listed.first_group, listed.slot,
          wiring_->ring_shape().slots() - 1, bundle.targets.size, wiring_->excluded_target(bundle, source),
          !rule.multapses || rule.kind == ConnectivityRule::Kind::pairwise_bernoulli};
}

/// Writes the draws of all groups behind the first `begin` words; returns how many there are.
template <class Word>
std::uint32_t ListedRows::draw_all(const Listed& listed, std::uint32_t source, const std::uint32_t* counts,
                                   std::vector<Word>& words, std::size_t begin, DrawQueue& queue) const {
  const GroupedRow row{source, listed.bundle->id, listed.slot | listed.bundle->targets.size << 16, listed.first_group,
                       listed.groups, counts, listed.codes.data()};
  const DrawTables tables{listed.weights.data(), wiring_->step_tables().empty() ? nullptr : wiring_->step_tables().data()};
  std::size_t end = begin;
  for (std::uint32_t g = 0; g < listed.groups;) {
    queue.size = 0;
    g = enqueue_groups(queue, row, g);
    const std::size_t wanted = end + 4 * queue.size + DrawQueue::kSlack;
    if (words.size() < wanted) words.resize(wanted + wanted / 2);
    end += draw_words_in_order(queue, wiring_->key(), tables, words.data() + end);
  }
  return static_cast<std::uint32_t>(end - begin);
}

/// The whole row of a uniform bundle (with weights that no packed word can name) or a corrected one.
template <class Word>
void ListedRows::draw_grouped(const Listed& listed, std::uint32_t source, std::uint32_t count, WordRow<Word>& row) const {
  row.per_group_.resize(listed.groups);
  split_delays(wiring_->key(), source, listed.bundle->id, count, wiring_->delays(*listed.bundle).group_thresholds.data(),
               listed.groups, row.per_group_.data());
  const std::size_t begin = row.size_;
  const std::uint32_t n = draw_all(listed, source, row.per_group_.data(), row.words_, begin, row.queue_);
  row.make_room(n);
  row.expect(listed.first_group, listed.first_group + listed.groups - 1);
  for (std::uint32_t g = 0; g < listed.groups; ++g) {
    // Eight at a time; what is too much is overwritten by the next group, or behind the row.
    std::uint16_t* const groups = row.groups_.data() + row.size_;
    for (std::uint32_t k = 0; k < row.per_group_[g]; k += 8) std::fill_n(groups + k, 8, static_cast<std::uint16_t>(listed.first_group + g));
    row.size_ += row.per_group_[g];
  }
  if (listed.bundle->drawing == Bundle::Drawing::corrected) put_right(listed, source, begin, row);
}
template <class Word>
void ListedRows::put_right(const Listed& listed, std::uint32_t source, std::size_t begin, WordRow<Word>& row) const {
  if (!listed.indegree) {
    const DrawnRow drawn = drawn_row(listed, source, row.per_group_.data());
    Word* const words = row.words_.data() + begin;
    for (const auto& repeat : row.repeated_.find(drawn, words, static_cast<std::uint32_t>(row.size_ - begin))) {
      std::uint32_t& place = row_header::in(words[repeat.at]);
      place = (place & ~drawn.slot_mask) | (drawn.slot + repeat.target);
    }
    return;
  }
  std::uint32_t added = 0;
  wiring_->exceptions(*listed.bundle).visit(
      source,
      [&](std::uint32_t place) {
        --row.size_;
        row.words_[begin + place] = row.words_[row.size_];
        row.groups_[begin + place] = row.groups_[row.size_];
      },
      [&](std::uint32_t target) { add_synapse(listed, source, added++, target, row); });
}

/// Synapse `number` of those that exceptions add to a row.
template <class Word>
void ListedRows::add_synapse(const Listed& listed, std::uint32_t source, std::uint32_t number, std::uint32_t target,
                             WordRow<Word>& row) const {
  const RingShape shape = wiring_->ring_shape();
  const DelayTable& delays = wiring_->delays(*listed.bundle);
  std::int32_t weight = listed.weight;
  std::uint32_t d = delays.min_steps - 1;
  if (!listed.same_weight || delays.min_steps < delays.max_steps) {
    const RandomWords words = random_words(wiring_->key(), Purpose::added_synapse, number, source, listed.bundle->id);
    weight = listed.weights[words[0] >> 22];
    d = delays.delay_of(words[1] >> 16, words[0] << 10 >> 22) - 1;
  }
  row.make_room(1);
  make_word(listed.slot + target + shape.row(d), weight, row.words_[row.size_]);
  row.groups_[row.size_++] = static_cast<std::uint16_t>(d >> shape.step_bits);
  row.expect(d >> shape.step_bits, d >> shape.step_bits);
}

template <class Word>
void ListedRows::correct(std::size_t i, std::uint32_t source, const std::uint32_t* counts, WordRow<Word>& row,
                         std::uint32_t* taken_back) const {
  const Listed& listed = bundles_[i];
  if (listed.indegree) {
    take_back(listed, source, counts, row, taken_back);
    return;
  }
  const std::uint32_t n = draw_all(listed, source, counts, row.drawn_, 0, row.queue_);
  const DrawnRow drawn = drawn_row(listed, source, counts);
  for (const auto& repeat : row.repeated_.find(drawn, row.drawn_.data(), n)) {
    const std::uint32_t group = listed.first_group + repeat.group;
    row.make_room(2);
    Word* const words = row.words_.data() + row.size_;
    words[0] = negative(row.drawn_[repeat.at]);
    words[1] = row.drawn_[repeat.at];
    std::uint32_t& place = row_header::in(words[1]);
    place = (place & ~drawn.slot_mask) | (drawn.slot + repeat.target);
    row.groups_[row.size_] = row.groups_[row.size_ + 1] = static_cast<std::uint16_t>(group);
    row.size_ += 2;
    ++taken_back[group];
    row.expect(group, group);
  }
}

/// What exceptions drop, drawn again, and what they add.
template <class Word>
void ListedRows::take_back(const Listed& listed, std::uint32_t source, const std::uint32_t* counts, WordRow<Word>& row,
                           std::uint32_t* taken_back) const {
  const RingShape shape = wiring_->ring_shape();
  const DelayTable& delays = wiring_->delays(*listed.bundle);
  row.index_.clear();
  std::vector<std::uint32_t>& places = row.per_group_;
  places.clear();
  std::uint32_t added = 0;
  wiring_->exceptions(*listed.bundle).visit(
      source, [&](std::uint32_t place) { places.push_back(place); },
      [&](std::uint32_t target) { add_synapse(listed, source, added++, target, row); });
  std::reverse(places.begin(), places.end());  // ascending
  std::uint32_t group = 0, begin = 0;
  for (const std::uint32_t place : places) {
    while (place >= begin + counts[group]) begin += counts[group++];
    row.index_.push_back((listed.first_group + group) << 20 | (place - begin) / 4);
    row.expect(listed.first_group + group, listed.first_group + group);
  }
  const std::size_t n = places.size();
  row.index_.resize(n + kRowPadding);
  row.blocks_.resize(4 * row.index_.size());
  draw_blocks({wiring_->key(), source, listed.bundle->id}, Purpose::synapse, 0, row.index_.data(), n, row.blocks_.data());
  row.make_room(n);
  group = begin = 0;
  for (std::size_t i = 0; i < n; ++i) {
    while (places[i] >= begin + counts[group]) begin += counts[group++];
    const std::uint64_t product =
        static_cast<std::uint64_t>(row.blocks_[4 * i + (places[i] - begin) % 4]) * listed.bundle->targets.size;
    const auto fraction = static_cast<std::uint32_t>(product);
    const std::uint32_t step = delays.step_of(listed.first_group + group, fraction << 10 >> 22);
    make_word(listed.slot + static_cast<std::uint32_t>(product >> 32) + shape.row(step), -listed.weights[fraction >> 22],
              row.words_[row.size_]);
    row.groups_[row.size_++] = static_cast<std::uint16_t>(listed.first_group + group);
    ++taken_back[listed.first_group + group];
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
template bool ListedRows::has_item(std::size_t, std::uint32_t, WordRow<std::uint32_t>&) const;
template bool ListedRows::has_item(std::size_t, std::uint32_t, WordRow<WideWord>&) const;
template void ListedRows::draw_together(std::size_t, std::size_t, const std::uint32_t*, const Wiring::Share*, WordRow<std::uint32_t>&) const;
template void ListedRows::draw_together(std::size_t, std::size_t, const std::uint32_t*, const Wiring::Share*, WordRow<WideWord>&) const;
template void ListedRows::draw_cell(std::size_t, std::uint32_t, WordRow<std::uint32_t>&, std::vector<std::uint32_t>&) const;
template void ListedRows::draw_cell(std::size_t, std::uint32_t, WordRow<WideWord>&, std::vector<std::uint32_t>&) const;
template void ListedRows::correct(std::size_t, std::uint32_t, const std::uint32_t*, WordRow<std::uint32_t>&, std::uint32_t*) const;
template void ListedRows::correct(std::size_t, std::uint32_t, const std::uint32_t*, WordRow<WideWord>&, std::uint32_t*) const;

}  // namespace tessera
