// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/thin_rows.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/aligned_array.hpp"
#include "base/prefetch.hpp"
#include "connectivity/in_flight.hpp"
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

/// The delay groups of 16-bit draws, looked up by their upper bits, and what the kernel needs of each group.
class GroupFinder {
 public:
  GroupFinder(const Wiring& wiring, const Bundle& b) {
    const DelayTable& delays = wiring.delays(b);
    first_group_ = delays.first_group;
    thresholds_ = delays.group_thresholds;
    for (std::uint32_t i = 0; i < 256; ++i) start_[i] = static_cast<std::uint16_t>(delays.group_of(i << 8) - first_group_);
    for (std::uint32_t g = 0; g < delays.groups; ++g) codes_.push_back(wiring.step_code(b, first_group_ + g));
  }
  /// Counted from the first group.
  [[nodiscard]] std::uint32_t find(std::uint32_t draw) const {
    std::uint32_t g = start_[draw >> 8];
    while (g < thresholds_.size() && draw >= thresholds_[g]) ++g;
    return g;
  }
  [[nodiscard]] std::uint32_t first_group() const { return first_group_; }
  [[nodiscard]] std::uint32_t last_group() const { return first_group_ + static_cast<std::uint32_t>(codes_.size()) - 1; }
  [[nodiscard]] std::uint32_t groups() const { return static_cast<std::uint32_t>(codes_.size()); }
  [[nodiscard]] std::uint32_t code(std::uint32_t group) const { return codes_[group]; }

 private:
  std::uint32_t first_group_ = 0;
  std::vector<std::uint16_t> thresholds_;
  std::vector<std::uint32_t> codes_;
  std::uint16_t start_[256];
};

class ThinRows final : public RowStore {
 public:
  ThinRows(const RowStoreInput& input, const BundleChoice& holds, bool count_table)
      : wiring_(input.wiring), tables_(tables_of(*input.wiring, *input.units)), shape_(input.wiring->ring_shape()),
        waiting_(0) {
    const Network& network = input.wiring->network();
    std::vector<const BlockLayout*> block_of(input.wiring->chunks().size(), nullptr);
    for (const BlockLayout& block : input.layout->blocks) block_of[block.chunk] = &block;
    senders_.resize(network.populations.size());
    std::uint32_t first = 0;
    for (std::size_t p = 0; p < senders_.size(); ++p) {
      senders_[p].first = first;
      first += network.populations[p].size;
      senders_[p].end = first;
    }
    std::uint32_t last_group = 0;
    for (const Bundle& b : input.wiring->bundles()) {
      if (block_of[b.chunk] == nullptr || is_plastic(*input.wiring, b) || !holds(b)) continue;
      senders_[b.source_population].bundles.push_back(column_of(*input.units, b, *block_of[b.chunk]));
      last_group = std::max(last_group, finders_[senders_[b.source_population].bundles.back().finder].last_group());
    }
    // Spikes arrive up to two intervals after they are sent, and before their words are due.
    waiting_ = WaitingWords((last_group + 1) * shape_.steps() + 2 * input.exchange_steps);
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

  bool reaches(std::uint32_t source) const override { return !sender_of(source).bundles.empty(); }
  std::uint64_t synapses() const override { return 0; }
  std::uint64_t bytes() const override { return counts_.bytes() + waiting_.bytes() + finders_.size() * sizeof(GroupFinder); }

 private:
  struct Column {
    const Bundle* bundle;
    std::uint32_t stream, place, finder;
  };
  struct Row {  ///< waits for its delay groups
    const Column* column;
    std::uint32_t source, count, first_block;
  };
  /// A source population.
  struct Sender {
    std::uint32_t first = 0, end = 0;  ///< global ids
    std::size_t table = 0;             ///< where its counts begin: [source][bundle]
    std::vector<Column> bundles;
  };

  [[nodiscard]] const Sender& sender_of(std::uint32_t neuron) const {
    return *std::upper_bound(senders_.begin(), senders_.end(), neuron, [](std::uint32_t n, const Sender& s) { return n < s.end; });
  }

  Column column_of(const WeightUnits& units, const Bundle& b, const BlockLayout& block) {
    const bool negative = wiring_->weights(b).values.front() < 0.0;
    const DelayTable* delays = &wiring_->delays(b);
    const auto known = std::find(finder_of_.begin(), finder_of_.end(), delays);
    const auto finder = static_cast<std::uint32_t>(known - finder_of_.begin());
    if (known == finder_of_.end()) {
      finder_of_.push_back(delays);
      finders_.emplace_back(*wiring_, b);
    }
    return {&b, b.id | units.table_of[b.projection] << kTableShift,
            (negative ? block.negative_slot : block.positive_slot) | b.targets.size << 16, finder};
  }

  void build_table() {
    std::size_t size = 0;
    for (Sender& sender : senders_) {
      sender.table = size;
      size += sender.bundles.size() * (sender.end - sender.first);
    }
    counts_ = AlignedArray<std::uint8_t>(size + 64);
    std::uint32_t counts[SourceTree::kBlock] = {};
    for (const Sender& sender : senders_) {
      const std::size_t width = sender.bundles.size();
      const std::uint32_t sources = sender.end - sender.first;
      for (std::size_t i = 0; i < width; ++i) {
        for (std::uint32_t begin = 0; begin < sources; begin += SourceTree::kBlock) {
          wiring_->block_counts(*sender.bundles[i].bundle, begin / SourceTree::kBlock, counts);
          for (std::uint32_t s = begin; s < std::min(sources, begin + SourceTree::kBlock); ++s) {
            counts_.data()[sender.table + s * width + i] = static_cast<std::uint8_t>(counts[s - begin]);
          }
        }
      }
    }
  }

  [[nodiscard]] const std::uint8_t* counts_of(const Sender& sender, std::uint32_t neuron) const {
    return counts_.data() + sender.table + (neuron - sender.first) * sender.bundles.size();
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
          if (!later->bundles.empty()) prefetch(counts_of(*later, spikes[i + kAhead]));
        }
        find(sender, spikes[i]);
        if (!sender->bundles.empty()) draw(*sender, spikes[i], step, now);
      }
    }
    draw_rows(step, now);
  }

  void draw(const Sender& sender, std::uint32_t neuron, std::int64_t step, std::int64_t now) {
    const std::uint8_t* counts = counts_.size() > 0 ? counts_of(sender, neuron) : nullptr;
    const std::uint32_t source = neuron - sender.first;
    for (std::size_t i = 0; i < sender.bundles.size(); ++i) {
      const Column& column = sender.bundles[i];
      const std::uint32_t n = counts != nullptr ? counts[i] : wiring_->count(*column.bundle, source);
      if (n == 0) continue;
      ++counters_.row_visits;
      const std::uint32_t blocks = (n + 7) / 8;
      if (blocks_ + blocks > kMostBlocks) draw_rows(step, now);
      for (std::uint32_t block = 0; block < blocks; ++block) {
        block_index_[blocks_ + block] = block;
        block_source_[blocks_ + block] = source;
        block_stream_[blocks_ + block] = column.bundle->id;
      }
      rows_.push_back({&column, source, n, static_cast<std::uint32_t>(blocks_)});
      blocks_ += blocks;
    }
  }

  /// Draws the delay groups of all rows that wait for it, which are those of Wiring::split_delays(), then the rows.
  void draw_rows(std::int64_t step, std::int64_t now) {
    delay_draws(wiring_->key(), {block_index_, block_source_, block_stream_}, blocks_, delay_words_);
    for (const Row& row : rows_) {
      if (queue_.size + row.count > DrawQueue::kCapacity) flush(step, now);
      enqueue_row(row);
    }
    flush(step, now);
    rows_.clear();
    blocks_ = 0;
  }

  /// The synapses of one source in one bundle, group after group.
  void enqueue_row(const Row& row) {
    const GroupFinder& finder = finders_[row.column->finder];
    const std::uint32_t n = row.count;
    const std::uint32_t* words = delay_words_ + 4 * row.first_block;
    // Counted per group, with a bit for every group that has any: ascending order without sorting.
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::uint32_t group = finder.find(words[i / 2] >> (16 * (i % 2)) & 0xffff);
      ++in_group_[group];
      some_[group / 64] |= std::uint64_t{1} << group % 64;
    }
    for (std::uint32_t word = 0; word <= (finder.groups() - 1) / 64; ++word) {
      for (std::uint64_t bits = std::exchange(some_[word], 0); bits != 0; bits &= bits - 1) {
        const auto group = 64 * word + static_cast<std::uint32_t>(std::countr_zero(bits));
        enqueue_group(row, finder.first_group() + group, std::exchange(in_group_[group], std::uint8_t{0}), finder.code(group));
      }
    }
  }

  void enqueue_group(const Row& row, std::uint32_t group, std::uint32_t count, std::uint32_t code) {
    for (std::uint32_t block = 0; 4 * block < count; ++block) {
      const std::size_t at = queue_.size++;
      queue_.index[at] = (group << 20 | block) + ((std::min(4u, count - 4 * block) - 1) << DrawQueue::kLeftShift);
      queue_.source[at] = row.source;
      queue_.stream[at] = row.column->stream;
      queue_.place[at] = row.column->place;
      queue_.steps[at] = code;
    }
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
  std::vector<const DelayTable*> finder_of_;
  std::vector<GroupFinder> finders_;
  AlignedArray<std::uint8_t> counts_;
  WaitingWords waiting_;
  std::vector<RowVisit> visits_;
  static constexpr std::size_t kMostBlocks = 256;
  std::vector<Row> rows_;
  std::size_t blocks_ = 0;
  std::uint32_t block_index_[kMostBlocks + DelayBlocks::kSlack] = {}, block_source_[kMostBlocks + DelayBlocks::kSlack] = {},
                block_stream_[kMostBlocks + DelayBlocks::kSlack] = {};
  std::uint32_t delay_words_[4 * (kMostBlocks + DelayBlocks::kSlack)];
  std::uint8_t in_group_[kMaxDelayGroups] = {};  ///< of the row at hand; 0 between two
  std::uint64_t some_[(kMaxDelayGroups + 63) / 64] = {};
  DrawQueue queue_{};
  std::uint32_t words_[4 * DrawQueue::kCapacity + DrawQueue::kSlack];
};

}  // namespace

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
