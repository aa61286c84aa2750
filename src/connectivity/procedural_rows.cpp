// Procedural rows: a spike's synapses are drawn group by group at the step in which they are due. Only
// the counts per (source, delay group, bundle) are needed; they are kept in a table or drawn again too.
// Corrected bundles are drawn with them; what puts their rows right has a store of its own (correction_rows.cpp).
// Listed rows with one delay group are drawn in the step in which they are due, too; with several they
// are written out before the first is due, and live as long as the spike is in flight. Draws look their
// weights up in tables of 32 bits, so only listed and corrected rows need a store of their own for wide words.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/aligned_array.hpp"
#include "base/prefetch.hpp"
#include "connectivity/in_flight.hpp"
#include "connectivity/row_store.hpp"
#include "connectivity/store_bytes.hpp"
#include "connectivity/thin_rows.hpp"
#include "kernels/deliver.hpp"

namespace tessera {
namespace {

/// Delay groups up to the last one in which anything of the bundles may be: spikes are kept for so long.
std::uint32_t groups_on(const RowStoreInput& input, const BundleChoice& holds) {
  std::vector<bool> on_tile(input.wiring->chunks().size(), false);
  for (const BlockLayout& block : input.layout->blocks) on_tile[block.chunk] = true;
  std::uint32_t last = 0;
  for (const Bundle& b : input.wiring->bundles()) {
    if (on_tile[b.chunk] && !is_plastic(*input.wiring, b) && holds(b)) last = std::max(last, input.wiring->delay_groups(b).second);
  }
  return last + 1;
}

template <class Count, class Word>
class ProceduralRows final : public RowStore {
  [[nodiscard]] auto arena() const {
    return [this](std::int64_t step) { return history_[static_cast<std::size_t>(step) & mask_].listed.data(); };
  }

 public:
  ProceduralRows(const RowStoreInput& input, const BundleChoice& holds, bool count_table)
      : wiring_(input.wiring), units_(input.units),
        fans_(make_fans(*input.wiring, *input.units, *input.layout, holds, true)),
        tables_(tables_of(*input.wiring, *input.units)), shape_(input.wiring->ring_shape()),
        groups_(groups_on(input, holds)),
        mask_(history_slots(groups_ * shape_.steps() + 2 * input.exchange_steps) - 1),
        history_(mask_ + 1), in_flight_(shape_, groups_ * shape_.steps(), input.exchange_steps) {
    std::uint32_t populations = static_cast<std::uint32_t>(input.wiring->network().populations.size());
    for (std::uint32_t p = 0; p < populations; ++p) {
      population_end_.push_back((p > 0 ? population_end_[p - 1] : 0) + input.wiring->network().populations[p].size);
    }
    fan_of_.assign(populations, nullptr);
    for (const Fan& fan : fans_) {
      fan_of_[fan.population()] = &fan;
      listed_.emplace_back(*input.wiring, fan, count_table);
      writes_ = writes_ || !listed_.back().written.empty();
    }
    if (count_table) build_table();
  }

  void receive(std::int64_t step, SpikeLists lists) override {
    Step& now = history_[static_cast<std::size_t>(step) & mask_];
    now.spikes.clear();
    now.counts.clear();
    now.listed.clear();
    now.listed_spikes.clear();
    in_flight_.of_step(step).clear();
    receive_more(step, lists);
  }

  void receive_more(std::int64_t step, SpikeLists lists) override {
    Step& now = history_[static_cast<std::size_t>(step) & mask_];
    const std::size_t before = arrived_spikes_.size();
    std::uint32_t population = 0;  // neighbours in a list are mostly of one
    for (const auto spikes : lists) {
      for (const std::uint32_t neuron : spikes) {
        if (neuron >= population_end_[population] || (population > 0 && neuron < population_end_[population - 1])) population = population_of(neuron);
        const Fan* fan = fan_of_[population];
        if (fan == nullptr) continue;
        const std::uint32_t source = neuron - fan->first_source();
        if (fan->record_size() > 0) now.spikes.push_back({fan, source, record_of(now, *fan, source)});
        const auto place = static_cast<std::size_t>(fan - fans_.data());
        if (listed_[place].empty()) continue;
        arrived_spikes_.push_back({fan, source, place});
        if (!writes_ && arrived_spikes_.size() == kSiftedAtOnce) keep_until_due(now, before);
      }
    }
    keep_until_due(now, before);
    if (arrived_spikes_.size() > before) arrived_.push_back({step, before, arrived_spikes_.size()});
  }

  void receive_again(std::int64_t step, std::int64_t now, SpikeLists lists) override {
    receive(step, lists);
    write_arrived();
    in_flight_.skip_delivered(step, now, arena());
  }

  void deliver(std::int64_t step, std::int32_t* ring) override {
    const std::uint32_t now = shape_.row(step);
    const std::int64_t group_steps = shape_.steps();
    write_arrived();
    queue_.size = 0;
    due_.clear();
    for (std::uint32_t group = 0; group < groups_; ++group) {
      const std::int64_t spike_step = step - 1 - group * group_steps;
      if (spike_step < kFirstSpikeStep) break;
      if (group + 1 < groups_ && spike_step >= group_steps) {
        prefetch_group(step_of(spike_step - group_steps), group + 1, 0, kAhead);
      }
      deliver_group(step_of(spike_step), group, ring, now);
      if (!step_of(spike_step).listed_spikes.empty()) deliver_listed(step_of(spike_step), group, ring, now);
    }
    flush(ring, now);
    deliver_due(ring, now);
    in_flight_.collect(step, arena(), visits_);
    deliver_rows(visits_.data(), visits_.size(), ring, now);
    in_flight_.advance(step, arena());
    counters_.row_visits += visits_.size();
    for (const VisitOf<Word>& visit : visits_) counters_.synaptic_events += visit.count;
  }

  bool reaches(std::uint32_t source) const override {
    return fan_of_[population_of(source)] != nullptr;
  }
  [[nodiscard]] static double fixed_bytes(RingShape shape, std::uint32_t groups, std::uint32_t exchange_steps) {
    return sizeof(ProceduralRows) + history_slots(groups * shape.steps() + 2 * exchange_steps) * (sizeof(Step) + sizeof(std::vector<InFlight::Cursor>));
  }
  std::uint64_t synapses() const override { return 0; }
  std::uint64_t bytes() const override {
    std::uint64_t total = table_.bytes() + arrived_spikes_.capacity() * sizeof(Spiked);
    for (const ListedBundles& listed : listed_) total += listed.bytes();
    for (const Step& step : history_) {
      total += (step.spikes.capacity() + step.listed_spikes.capacity()) * sizeof(Spiked) + step.counts.capacity() * sizeof(Count) +
               step.listed.capacity() * sizeof(Word);
    }
    return total;
  }

 private:
  struct Spiked {
    const Fan* fan;
    std::uint32_t source;  ///< inside its population
    std::size_t record;    ///< its counts, in the table or the step's counts
  };
  struct Step {
    std::vector<Spiked> spikes;
    std::vector<Count> counts;          ///< without a table: the spikes' count records
    std::vector<Spiked> listed_spikes;  ///< whose rows are drawn when due; `record` is the fan's place in listed_
    std::vector<Word> listed;           ///< rows in the format of in_flight.hpp
  };

  /// Spikes of arrived_spikes_ that came together.
  struct Arrived {
    std::int64_t step;
    std::size_t first, end;
  };

  /// The listed bundles of a fan: those that are drawn when due by their group, then those written out.
  struct ListedBundles {
    std::vector<RowCounts> counts;         ///< per listed bundle; empty: drawn again
    std::vector<std::uint32_t> due_group;  ///< ascending, of the bundles in `when_due`
    std::vector<std::uint32_t> when_due, written;
    std::size_t together = 0;  ///< spikes whose rows in `when_due` are drawn as one; 0: one by one
    bool sifts = false;        ///< most sources have no synapse in `when_due`: their spikes are not kept

    ListedBundles(const Wiring& wiring, const Fan& fan, bool count_table) {
      const ListedRows& rows = fan.listed();
      for (std::uint32_t i = 0; i < rows.size(); ++i) {
        const bool corrected = rows.column(i) != ListedRows::kNoColumn;
        const bool keeps = count_table && wiring.counted(rows.bundle(i)) && !corrected;
        counts.push_back(keeps ? RowCounts(wiring, rows.bundle(i)) : RowCounts());
        if (!corrected) (rows.one_group(i) ? when_due : written).push_back(i);
      }
      std::stable_sort(when_due.begin(), when_due.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return rows.first_group(a) < rows.first_group(b); });
      for (const std::uint32_t i : when_due) due_group.push_back(rows.first_group(i));
      const bool all = std::all_of(when_due.begin(), when_due.end(), [&](std::uint32_t i) { return rows.draws_together(i); });
      double synapses = 1.0;  // of a spike
      for (const std::uint32_t i : when_due) synapses += wiring.expected_synapses_of(rows.bundle(i)) / fan.sources();
      const bool cells = std::all_of(when_due.begin(), when_due.end(), [&](std::uint32_t i) { return rows.cell_width(i) > 0; });
      sifts = cells && synapses - 1.0 < kMostToSift;
      if (all) together = std::clamp<std::size_t>(static_cast<std::size_t>(kWordsTogether / synapses), 1, kMostTogether);
    }
    [[nodiscard]] Wiring::Share share(const Wiring& wiring, const Bundle& bundle, std::size_t i, std::uint32_t source) const {
      return counts[i].empty() ? wiring.share(bundle, source) : counts[i].share(wiring, bundle, source);
    }
    [[nodiscard]] bool empty() const { return when_due.empty() && written.empty(); }
    [[nodiscard]] std::size_t bytes() const {
      std::size_t total = 0;
      for (const RowCounts& count : counts) total += count.bytes();
      return total;
    }
  };

  [[nodiscard]] std::uint32_t population_of(std::uint32_t neuron) const {
    return static_cast<std::uint32_t>(
        std::upper_bound(population_end_.begin(), population_end_.end(), neuron) - population_end_.begin());
  }

  void build_table() {
    std::size_t entries = 0;
    table_begin_.assign(population_end_.size(), 0);
    for (const Fan& fan : fans_) {
      table_begin_[fan.population()] = entries;
      entries += fan.record_size() * fan.sources();
    }
    table_ = AlignedArray<Count>(entries + 64);
    for (const Fan& fan : fans_) {
      if (fan.record_size() == 0) continue;
      Count* records = table_.data() + table_begin_[fan.population()];
      const std::uint32_t blocks = (fan.sources() - 1) / SourceTree::kBlock + 1;
      for (std::uint32_t block = 0; block < blocks; block += Fan::kMostBlocks) {
        fan.count_blocks(block, std::min(Fan::kMostBlocks, blocks - block), records + std::size_t{block} * SourceTree::kBlock * fan.record_size());
      }
    }
  }

  std::size_t record_of(Step& step, const Fan& fan, std::uint32_t source) {
    if (table_.size() > 0) return table_begin_[fan.population()] + source * fan.record_size();
    const std::size_t begin = step.counts.size();
    step.counts.resize(begin + fan.record_size() + kBundlePadding);
    fan.count_source(source, step.counts.data() + begin);
    step.counts.resize(begin + fan.record_size());
    return begin;
  }

  /// Of the spikes that arrived from `first` on, keeps those that have rows to be drawn when they are due. Where a
  /// source has much less than one synapse here, that is looked up now: over many ranks nearly all spikes of the
  /// network have nothing here, and would be kept for as long as a delay is.
  void keep_until_due(Step& now, std::size_t first) {
    for (std::size_t s = first; s < arrived_spikes_.size(); ++s) {
      const Spiked& spiked = arrived_spikes_[s];
      const ListedBundles& bundles = listed_[spiked.record];
      if (bundles.when_due.empty()) continue;
      if (bundles.sifts) prefetch_listed(arrived_spikes_, s);
      const ListedRows& rows = spiked.fan->listed();
      const bool here = !bundles.sifts || std::any_of(bundles.when_due.begin(), bundles.when_due.end(), [&](std::uint32_t i) {
        return rows.has_item(i, spiked.source, row_);
      });
      if (here) now.listed_spikes.push_back(spiked);
    }
    if (!writes_) arrived_spikes_.resize(first);
  }

  /// Writes out the rows of what has been taken in since the last step.
  void write_arrived() {
    for (const auto& [step, first, end] : arrived_) {
      Step& arrived = history_[static_cast<std::size_t>(step) & mask_];
      for (std::size_t s = first; s < end; ++s) {
        const Spiked& spiked = arrived_spikes_[s];
        const ListedBundles& bundles = listed_[spiked.record];
        if (bundles.written.empty()) continue;
        prefetch_listed(arrived_spikes_, s);
        row_.clear();
        for (const std::uint32_t i : bundles.written) draw_listed(spiked, bundles, i, row_);
        row_.sort();
        if (!row_.empty()) write_row(arrived, in_flight_.of_step(step));
      }
    }
    arrived_.clear();
    arrived_spikes_.clear();
  }

  void draw_listed(const Spiked& spiked, const ListedBundles& bundles, std::size_t i, WordRow<Word>& row) {
    const ListedRows& rows = spiked.fan->listed();
    rows.draw(i, spiked.source, bundles.share(*wiring_, rows.bundle(i), i, spiked.source), row);
  }

  void write_row(Step& step, std::vector<InFlight::Cursor>& cursors) {
    const std::size_t begin = step.listed.size();
    const Word* words = row_.words();
    for (const auto& part : row_.parts()) {
      const bool last = &part == &row_.parts().back();
      step.listed.emplace_back();
      row_header::in(step.listed.back()) = row_header::make(part.count, part.group) | (last ? row_header::kLast : 0);
      step.listed.insert(step.listed.end(), words, words + part.count);
      words += part.count;
    }
    cursors.push_back({static_cast<std::uint32_t>(begin + 1), row_header::in(step.listed[begin])});
  }

  /// Words that are drawn before they are added: they and the ring stay in the second-level cache.
  static constexpr std::size_t kMostDue = 8192;
  static constexpr double kWordsTogether = 4096.0;
  static constexpr std::size_t kMostTogether = 32;
  /// Synapses of a source here from which on its spikes are kept without looking: a look-up at arrival takes as long as
  /// the one when they are due, which only those with a synapse need then.
  static constexpr double kMostToSift = 0.25;
  static constexpr std::size_t kSiftedAtOnce = 64;

  /// Counts and exceptions lie anywhere in their tables: they are asked for some spikes ahead.
  void prefetch_listed(std::span<const Spiked> spikes, std::size_t spike) const {
    for (const std::size_t ahead : {2, 1}) {
      if (spike + ahead >= spikes.size()) continue;
      const Spiked& spiked = spikes[spike + ahead];
      const ListedRows& rows = spiked.fan->listed();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (ahead == 1) {
          wiring_->prefetch_exceptions(rows.bundle(i), spiked.source);
          continue;
        }
        wiring_->prefetch_begin(rows.bundle(i), spiked.source);
        listed_[spiked.record].counts[i].prefetch(spiked.source);
      }
    }
  }

  void deliver_listed(const Step& step, std::uint32_t group, std::int32_t* ring, std::uint32_t now) {
    for (std::size_t s = 0, end = 0; s < step.listed_spikes.size(); s = end) {
      const ListedBundles& bundles = listed_[step.listed_spikes[s].record];
      end = s + 1;
      while (end < step.listed_spikes.size() && end - s < bundles.together && step.listed_spikes[end].record == step.listed_spikes[s].record) ++end;
      const auto [first, last] = std::equal_range(bundles.due_group.begin(), bundles.due_group.end(), group);
      if (first == last) continue;
      counters_.row_visits += end - s;
      const std::span<const std::uint32_t> due(bundles.when_due.data() + (first - bundles.due_group.begin()), static_cast<std::size_t>(last - first));
      if (bundles.together > 0) {
        draw_together(std::span(step.listed_spikes).subspan(s, end - s), due);
      } else {
        prefetch_listed(step.listed_spikes, s);
        for (const std::uint32_t i : due) draw_listed(step.listed_spikes[s], bundles, i, due_);
      }
      if (due_.size() > kMostDue) deliver_due(ring, now);
    }
  }

  /// Rows of several spikes of one fan, bundle by bundle. Tables are asked for one bundle ahead.
  void draw_together(std::span<const Spiked> spikes, std::span<const std::uint32_t> due) {
    const ListedRows& rows = spikes[0].fan->listed();
    const ListedBundles& bundles = listed_[spikes[0].record];
    const auto prefetch_begin = [&](std::uint32_t i) {
      for (const Spiked& spiked : spikes) {
        wiring_->prefetch_begin(rows.bundle(i), spiked.source);
        bundles.counts[i].prefetch(spiked.source);
      }
    };
    std::uint32_t sources[kMostTogether];
    Wiring::Share shares[kMostTogether];
    prefetch_begin(due[0]);
    for (std::size_t k = 0; k < due.size(); ++k) {
      if (k + 1 < due.size()) prefetch_begin(due[k + 1]);
      const Bundle& bundle = rows.bundle(due[k]);
      for (std::size_t s = 0; s < spikes.size(); ++s) {
        sources[s] = spikes[s].source;
        wiring_->prefetch_exceptions(bundle, sources[s]);
        shares[s] = bundles.share(*wiring_, bundle, due[k], sources[s]);
      }
      rows.draw_together(due[k], spikes.size(), sources, shares, due_);
    }
  }

  void deliver_due(std::int32_t* ring, std::uint32_t now) {
    if (due_.empty()) return;
    const VisitOf<Word> visit{due_.words(), static_cast<std::uint32_t>(due_.size())};
    deliver_rows(&visit, 1, ring, now);
    counters_.synaptic_events += due_.size();
    due_.clear();
  }

  [[nodiscard]] const Step& step_of(std::int64_t step) const {
    return history_[static_cast<std::size_t>(step) & mask_];
  }
  [[nodiscard]] const Count* counts_of(const Step& step, const Spiked& spiked, std::uint32_t group) const {
    const Count* records = table_.size() > 0 ? table_.data() : step.counts.data();
    return records + spiked.record + (group - spiked.fan->first_group()) * spiked.fan->uniform_bundles();
  }
  [[nodiscard]] static bool due(const Spiked& spiked, std::uint32_t group) {
    return group - spiked.fan->first_group() < spiked.fan->groups();  // below first_group wraps around
  }

  /// Count records lie anywhere in the table: they are asked for this many spikes ahead.
  static constexpr std::size_t kAhead = 8;
  void prefetch_group(const Step& step, std::uint32_t group, std::size_t from, std::size_t to) const {
    for (std::size_t i = from; i < to && i < step.spikes.size(); ++i) {
      if (due(step.spikes[i], group)) prefetch(counts_of(step, step.spikes[i], group));
    }
  }

  void deliver_group(const Step& step, std::uint32_t group, std::int32_t* ring, std::uint32_t now) {
    for (std::size_t i = 0; i < step.spikes.size(); ++i) {
      prefetch_group(step, group, i + kAhead, i + kAhead + 1);
      const Spiked& spiked = step.spikes[i];
      if (!due(spiked, group)) continue;
      ++counters_.row_visits;
      const Count* counts = counts_of(step, spiked, group);
      const DrawStreams streams = spiked.fan->streams();
      const std::uint32_t* steps = spiked.fan->steps(group);
      std::size_t bundle = enqueue(queue_, streams, 0, counts, steps, spiked.source, group);
      while (bundle < streams.bundles) {
        flush(ring, now);
        bundle = enqueue(queue_, streams, bundle, counts, steps, spiked.source, group);
      }
    }
  }

  void flush(std::int32_t* ring, std::uint32_t now) {
    counters_.synaptic_events += draw_and_deliver(queue_, wiring_->key(), tables_, ring, now);
    queue_.size = 0;
  }

  const Wiring* wiring_;
  const WeightUnits* units_;
  std::vector<Fan> fans_;
  std::vector<const Fan*> fan_of_;               ///< per population
  std::vector<std::uint32_t> population_end_;    ///< global ids
  AlignedArray<Count> table_;
  std::vector<std::size_t> table_begin_;         ///< per population
  DrawTables tables_;
  RingShape shape_;
  std::uint32_t groups_;
  std::uint32_t mask_;
  std::vector<Step> history_;
  InFlight in_flight_;
  std::vector<VisitOf<Word>> visits_;
  std::vector<ListedBundles> listed_;            ///< per fan
  bool writes_ = false;                          ///< some of them have rows that are written out
  std::vector<Arrived> arrived_;                 ///< since the last step, of listed rows
  std::vector<Spiked> arrived_spikes_;
  WordRow<Word> row_, due_;
  DrawQueue queue_{};
};

}  // namespace

double procedural_store_bytes(RingShape shape, std::uint32_t groups, std::uint32_t exchange_steps) {
  return ProceduralRows<std::uint8_t, std::uint32_t>::fixed_bytes(shape, groups, exchange_steps);
}

std::unique_ptr<RowStore> make_procedural_rows(const RowStoreInput& input, bool count_table, const BundleChoice& drawn) {
  const BundleChoice wide_lists = [&drawn, &units = *input.units](const Bundle& b) {
    return units.wide[b.projection] && units.listed(b) && drawn(b);
  };
  const ThinChoice thin_choice(*input.wiring, *input.units);
  const BundleChoice thin = [&](const Bundle& b) { return thin_choice.holds(b) && drawn(b); };
  const BundleChoice others = [&](const Bundle& b) { return drawn(b) && !wide_lists(b) && !thin(b); };
  const Network& network = input.wiring->network();
  std::vector<bool> large(network.populations.size(), false);
  for (const Fan& fan : make_fans(*input.wiring, *input.units, *input.layout, others, true)) {
    large[fan.population()] = fan.largest_mean_count() > kLargestMeanCount8;
  }
  const auto any = [&](bool is) { return std::find(large.begin(), large.end(), is) != large.end(); };
  const BundleChoice in_bytes = [&](const Bundle& b) { return others(b) && !large[b.source_population]; };
  const BundleChoice in_words = [&](const Bundle& b) { return others(b) && large[b.source_population]; };
  // Where tables are large, few populations have sources with many synapses, and the others count in bytes.
  const bool split = thin_choice.any() && any(true) && any(false);
  std::unique_ptr<RowStore> rows;
  if (any(true)) {
    rows = std::make_unique<ProceduralRows<std::uint16_t, std::uint32_t>>(input, split ? in_words : others, count_table);
  } else {
    rows = std::make_unique<ProceduralRows<std::uint8_t, std::uint32_t>>(input, others, count_table);
  }
  if (split) {
    rows = make_pair_of_rows(std::move(rows), std::make_unique<ProceduralRows<std::uint8_t, std::uint32_t>>(input, in_bytes, count_table));
  }
  if (thin_choice.any() && lands_on(input, thin)) rows = make_pair_of_rows(std::move(rows), make_thin_rows(input, thin, count_table));
  if (lands_on(input, wide_lists)) {
    rows = make_pair_of_rows(std::move(rows),
                             std::make_unique<ProceduralRows<std::uint16_t, WideWord>>(input, wide_lists, count_table));
  }
  const auto corrected = [&units = *input.units](const Bundle& b) { return units.corrected_by_group(b); };
  if (!lands_on(input, corrected)) return rows;
  return make_pair_of_rows(std::move(rows), make_correction_rows(input));
}

}  // namespace tessera
