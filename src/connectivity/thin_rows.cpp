// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/thin_rows.hpp"

#include <algorithm>
#include <utility>

#include "base/aligned_array.hpp"
#include "base/prefetch.hpp"
#include "connectivity/in_flight.hpp"
#include "connectivity/store_bytes.hpp"
#include "connectivity/waiting_words.hpp"
#include "kernels/split_delays.hpp"

namespace tessera {
namespace {

/// Below this many synapses of a source per bundle and delay group a count takes more bytes than it is large.
constexpr double kThin = 2.0;
/// Count records of the whole network that are not worth it: the microcircuit's take 28 MB.
constexpr double kLargestTable = 64e6;
/// So that a count practically never exceeds a byte.
constexpr double kMostPerBundle = 100.0;

double mean_count(const Wiring& wiring, const Bundle& b) {
  return wiring.expected_synapses_of(b) / wiring.network().populations[b.source_population].size;
}

class ThinRows final : public RowStore {
 public:
  ThinRows(const RowStoreInput& input, const BundleChoice& holds, bool count_table)
      : wiring_(input.wiring), tables_(tables_of(*input.wiring, *input.units)), shape_(input.wiring->ring_shape()),
        waiting_(0) {
    std::uint32_t last_group = 0;
    add_columns(input, holds, last_group);
    waiting_ = WaitingWords(longest_wait(shape_, last_group + 1, input.exchange_steps));
    if (count_table) build_table();
  }

  void receive(std::int64_t step, SpikeLists lists) override { receive_from(step, step, lists); }
  void receive_more(std::int64_t step, SpikeLists lists) override { receive_from(step, step, lists); }
  void receive_again(std::int64_t step, std::int64_t now, SpikeLists lists) override { receive_from(step, now, lists); }

  void deliver(std::int64_t step, std::int32_t* ring) override {
    visits_.clear();
    waiting_.take(step, visits_);
    deliver_rows(visits_.data(), visits_.size(), ring, shape_.row(step));
    for (const RowVisit& visit : visits_) counters_.synaptic_events += visit.count;
  }

  bool reaches(std::uint32_t source) const override { return sender_of(source).bundles > 0; }
  /// Of as many delay groups there are lists with a word, each with a block that is half full on average.
  [[nodiscard]] static double fixed_bytes(RingShape shape, std::uint32_t groups, std::uint32_t exchange_steps, std::uint32_t bundles) {
    const std::size_t lists = WaitingWords::lists_for(longest_wait(shape, groups, exchange_steps));
    return sizeof(ThinRows) + bundles * sizeof(Column) + lists * sizeof(void*) +
           groups * shape.steps() * 0.5 * WaitingWords::kBlockBytes + 0.5 * WaitingWords::kPoolBytes;
  }
  std::uint64_t synapses() const override { return 0; }
  std::uint64_t bytes() const override { return counts_.bytes() + waiting_.bytes() + columns_.size() * sizeof(Column); }

 private:
  /// Spikes arrive up to two intervals after they are sent, and before their words are due.
  [[nodiscard]] static std::uint32_t longest_wait(RingShape shape, std::uint32_t groups, std::uint32_t exchange_steps) {
    return groups * shape.steps() + 2 * exchange_steps;
  }
  struct Column {
    const Bundle* bundle;
    const DelayTable* delays;
    std::uint32_t stream, place;  ///< as in DrawQueue
    std::uint32_t first_code;     ///< what the queue keeps of its first delay group, with tables of steps
  };
  struct Row {  ///< waits for its delay groups
    const Column* column;
    std::uint32_t source, count, first_block;
  };
  /// A source population.
  struct Sender {
    std::uint32_t first = 0, end = 0;  ///< global ids
    std::uint32_t column = 0, bundles = 0;
    std::size_t table = 0;             ///< where its counts begin: [source][bundle]
  };

  [[nodiscard]] const Sender& sender_of(std::uint32_t neuron) const {
    return *std::upper_bound(senders_.begin(), senders_.end(), neuron, [](std::uint32_t n, const Sender& s) { return n < s.end; });
  }

  /// The bundles of a sender lie side by side, as their counts do.
  void add_columns(const RowStoreInput& input, const BundleChoice& holds, std::uint32_t& last_group) {
    const Network& network = input.wiring->network();
    std::vector<const BlockLayout*> block_of(input.wiring->chunks().size(), nullptr);
    for (const BlockLayout& block : input.layout->blocks) block_of[block.chunk] = &block;
    std::vector<std::vector<const Bundle*>> held(network.populations.size());
    for (const Bundle& b : input.wiring->bundles()) {
      if (block_of[b.chunk] != nullptr && !is_plastic(*input.wiring, b) && holds(b)) held[b.source_population].push_back(&b);
    }
    std::uint32_t first = 0;
    for (std::size_t p = 0; p < held.size(); ++p) {
      const std::uint32_t size = network.populations[p].size;
      senders_.push_back({first, first + size, static_cast<std::uint32_t>(columns_.size()), static_cast<std::uint32_t>(held[p].size()), 0});
      first += size;
      for (const Bundle* b : held[p]) {
        columns_.push_back(column_of(*input.units, *b, *block_of[b->chunk]));
        last_group = std::max(last_group, input.wiring->delay_groups(*b).second);
      }
    }
  }

  Column column_of(const WeightUnits& units, const Bundle& b, const BlockLayout& block) {
    const DelayTable& delays = wiring_->delays(b);
    const bool negative = wiring_->weights(b).values.front() < 0.0;
    return {&b, &delays, b.id | units.table_of[b.projection] << kTableShift,
            (negative ? block.negative_slot : block.positive_slot) | b.targets.size << 16, wiring_->step_code(b, delays.first_group)};
  }

  void build_table() {
    std::size_t size = 0;
    for (Sender& sender : senders_) {
      sender.table = size;
      size += std::size_t{sender.bundles} * (sender.end - sender.first);
    }
    counts_ = AlignedArray<std::uint8_t>(size + 64);
    constexpr std::uint32_t kBlock = SourceTree::kBlock, kAtOnce = 32;  // so that their records stay in the cache
    std::uint32_t counts[kAtOnce * kBlock] = {};
    for (const Sender& sender : senders_) {
      const std::uint32_t sources = sender.end - sender.first, blocks = (sources + kBlock - 1) / kBlock;
      for (std::uint32_t block = 0; block < blocks; block += kAtOnce) {
        for (std::size_t i = 0; i < sender.bundles; ++i) {
          wiring_->counts_of(*columns_[sender.column + i].bundle, block, std::min(kAtOnce, blocks - block), counts);
          const std::uint32_t begin = block * kBlock;
          for (std::uint32_t s = begin; s < std::min(sources, begin + kAtOnce * kBlock); ++s) {
            counts_.data()[sender.table + std::size_t{s} * sender.bundles + i] = static_cast<std::uint8_t>(counts[s - begin]);
          }
        }
      }
    }
  }

  [[nodiscard]] const std::uint8_t* counts_of(const Sender& sender, std::uint32_t neuron) const {
    return counts_.data() + sender.table + std::size_t{neuron - sender.first} * sender.bundles;
  }

  void receive_from(std::int64_t step, std::int64_t now, SpikeLists lists) {
    constexpr std::size_t kAhead = 4;
    const Sender* sender = senders_.data();  // neighbours in a list are mostly of one population
    const Sender* later = sender;
    const auto find = [this](const Sender*& known, std::uint32_t neuron) {
      if (neuron < known->first || neuron >= known->end) known = &sender_of(neuron);
    };
    for (const auto spikes : lists) {
      for (std::size_t i = 0; i < spikes.size(); ++i) {
        if (counts_.size() > 0 && i + kAhead < spikes.size()) {
          find(later, spikes[i + kAhead]);
          if (later->bundles > 0) prefetch(counts_of(*later, spikes[i + kAhead]));
        }
        find(sender, spikes[i]);
        if (sender->bundles > 0) draw(*sender, spikes[i], step, now);
      }
    }
    draw_rows(step, now);
  }

  void draw(const Sender& sender, std::uint32_t neuron, std::int64_t step, std::int64_t now) {
    const std::uint8_t* counts = counts_.size() > 0 ? counts_of(sender, neuron) : nullptr;
    const std::uint32_t source = neuron - sender.first;
    for (std::size_t i = 0; i < sender.bundles; ++i) {
      const Column& column = columns_[sender.column + i];
      const std::uint32_t n = counts != nullptr ? counts[i] : wiring_->count(*column.bundle, source);
      if (n == 0) continue;
      ++counters_.row_visits;
      const std::uint32_t blocks = (n + 7) / 8;
      if (blocks_ + blocks > kMostBlocks) draw_rows(step, now);
      for (std::uint32_t block = 0; block < blocks; ++block) {
        block_index_[blocks_ + block] = block;
        block_source_[blocks_ + block] = source;
        block_stream_[blocks_ + block] = column.stream % (1u << kTableShift);
      }
      prefetch(column.delays);
      rows_.push_back({&column, source, n, static_cast<std::uint32_t>(blocks_)});
      blocks_ += blocks;
    }
  }

  /// Draws the delay groups of all rows that wait for it, which are those of Wiring::split_delays(), then the rows.
  void draw_rows(std::int64_t step, std::int64_t now) {
    delay_draws(wiring_->key(), {block_index_, block_source_, block_stream_}, blocks_, delay_words_);
    constexpr std::size_t kAhead = 2;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (r + kAhead < rows_.size()) prefetch_groups(rows_[r + kAhead]);
      if (queue_.size + rows_[r].count > DrawQueue::kCapacity) flush(step, now);
      enqueue_row(rows_[r]);
    }
    flush(step, now);
    rows_.clear();
    blocks_ = 0;
  }

  /// Every pair of areas has a table of delays of its own: together they are as large as the second-level cache.
  void prefetch_groups(const Row& row) const {
    const std::uint32_t* starts = row.column->delays->starts.data();
    const std::uint32_t* words = delay_words_ + 4 * row.first_block;
    for (std::uint32_t i = 0; i < row.count; i += 2) {
      prefetch(starts + (words[i / 2] >> 8 & 0xff));
      prefetch(starts + (words[i / 2] >> 24));
    }
  }

  /// The synapses of one source in one bundle, in the order of their delay draws: the fifth of a group begins a new block, the
  /// others add to the group's last one. Without a branch, because which they are is hard to predict.
  void enqueue_row(const Row& row) {
    const DelayTable& delays = *row.column->delays;
    const bool by_thresholds = tables_.steps == nullptr;
    std::uint32_t groups[kMostInRow + 1];
    const std::size_t begin = queue_.size;
    std::size_t size = begin;
    const auto add = [&](std::uint32_t i, std::uint32_t draw) {
      const std::uint32_t group = delays.find_group(draw), known = in_group_[group], in_block = known % 4;
      const std::size_t at = in_block == 0 ? size : known / kPlaces;
      queue_.index[at] = (delays.first_group + group) << 20 | known % kPlaces / 4 | in_block << DrawQueue::kLeftShift;
      queue_.steps[at] = by_thresholds ? delays.step_thresholds[group] : row.column->first_code + group * DelayTable::kStepDraws;
      in_group_[group] = static_cast<std::uint32_t>(at * kPlaces) + known % kPlaces + 1;
      groups[i] = group;
      size += in_block == 0 ? 1 : 0;
    };
    const std::uint32_t* words = delay_words_ + 4 * row.first_block;
    for (std::uint32_t i = 0; i < row.count; i += 2) {
      add(i, words[i / 2] & 0xffff);
      if (i + 1 < row.count) add(i + 1, words[i / 2] >> 16);
    }
    for (std::uint32_t i = 0; i < row.count; ++i) in_group_[groups[i]] = 0;
    std::fill(queue_.source + begin, queue_.source + size, row.source);
    std::fill(queue_.stream + begin, queue_.stream + size, row.column->stream);
    std::fill(queue_.place + begin, queue_.place + size, row.column->place);
    queue_.size = size;
  }

  void flush(std::int64_t step, std::int64_t now) {
    draw_words_in_order(queue_, wiring_->key(), tables_, words_);
    const std::uint32_t* word = words_;
    for (std::size_t i = 0; i < queue_.size; ++i) {
      const std::uint32_t n = (queue_.index[i] >> DrawQueue::kLeftShift) + 1, group = queue_.index[i] >> 20 & 0x3ff;
      const std::int64_t due = step + 1 + static_cast<std::int64_t>(group * shape_.steps());
      if (due >= now) {
        for (std::uint32_t k = 0; k < n; ++k) waiting_.add(due, word[k]);
      }
      word += n;
    }
    queue_.size = 0;
  }

  const Wiring* wiring_;
  DrawTables tables_;
  RingShape shape_;
  std::vector<Sender> senders_;  ///< per population
  std::vector<Column> columns_;
  AlignedArray<std::uint8_t> counts_;
  WaitingWords waiting_;
  std::vector<RowVisit> visits_;
  static constexpr std::size_t kMostBlocks = 256;
  std::vector<Row> rows_;
  std::size_t blocks_ = 0;
  std::uint32_t block_index_[kMostBlocks + DelayBlocks::kSlack] = {}, block_source_[kMostBlocks + DelayBlocks::kSlack] = {},
                block_stream_[kMostBlocks + DelayBlocks::kSlack] = {};
  std::uint32_t delay_words_[4 * (kMostBlocks + DelayBlocks::kSlack)];
  static constexpr std::uint32_t kMostInRow = 255, kPlaces = 512;
  /// Of the row at hand: where the group's last block is in the queue * kPlaces + synapses; 0 between two rows.
  std::uint32_t in_group_[kMaxDelayGroups] = {};
  DrawQueue queue_{};
  std::uint32_t words_[4 * DrawQueue::kCapacity + DrawQueue::kSlack];
};

}  // namespace

double thin_store_bytes(RingShape shape, std::uint32_t groups, std::uint32_t exchange_steps, std::uint32_t bundles) {
  return ThinRows::fixed_bytes(shape, groups, exchange_steps, bundles);
}

ThinChoice::ThinChoice(const Wiring& wiring, const WeightUnits& units) {
  const Network& network = wiring.network();
  std::vector<bool> thin(network.projections.size(), false);
  double table = 0.0;
  bool any = false;
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    const Bundle b = wiring.first_bundle(p);
    if (is_plastic(wiring, b) || units.listed(b)) continue;
    const Population& target = network.populations[b.targets.population];
    const double groups = wiring.delays(b).groups, count = mean_count(wiring, b);
    table += groups * network.populations[b.source_population].size * target.size / b.targets.size;
    thin[p] = groups > 1.0 && count < kThin * groups && count < kMostPerBundle && !units.wide[p];
    any = any || thin[p];
  }
  if (any && table > kLargestTable) thin_ = std::move(thin);
}

std::unique_ptr<RowStore> make_thin_rows(const RowStoreInput& input, const BundleChoice& holds, bool count_table) {
  return std::make_unique<ThinRows>(input, holds, count_table);
}

}  // namespace tessera
