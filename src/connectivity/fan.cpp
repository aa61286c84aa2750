// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/fan.hpp"

#include <algorithm>

#include "kernels/split_delays.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {
constexpr double kLongestRow = 5e5;  // far below the 2^20 that a row header can count

double mean_row(const Wiring& wiring, const Bundle& bundle) {
  return wiring.expected_synapses_of(bundle) / wiring.network().populations[bundle.source_population].size;
}

}  // namespace

std::string row_problem(const Wiring& wiring, const Bundle& bundle) {
  const double mean = mean_row(wiring, bundle);
  if (mean <= kLongestRow) return "";
  return "Projection '" + wiring.projection(bundle).name + "' has " + std::to_string(static_cast<std::uint64_t>(mean)) +
         " synapses per source and tile; at most 500,000 are possible. Use fewer synapses or more sources.";
}

Fan::Fan(const Wiring& wiring, const WeightUnits& units, std::span<const Target> bundles, std::uint32_t source_population,
         std::uint32_t first_source, bool by_group)
    : wiring_(&wiring), population_(source_population), first_source_(first_source),
      sources_(wiring.network().populations[source_population].size) {
  std::uint32_t last_group = 0, lowest = kMaxDelayGroups, highest = 0;
  first_group_ = kMaxDelayGroups;
  for (const auto& [on_tile, block] : bundles) {
    const Bundle& bundle = *on_tile;
    if (const std::string problem = row_problem(wiring, bundle); !problem.empty()) throw InputError(problem);
    const double share = static_cast<double>(block->count(bundle.targets)) / bundle.targets.size;  // of the chunk that lives here
    expected_synapses_ += mean_row(wiring, bundle) * sources_ * share;
    const auto [first, last] = wiring.delay_groups(bundle);
    lowest = std::min(lowest, first), highest = std::max(highest, last);
    several_groups_ = lowest < highest;
    if (units.listed(bundle)) {
      const bool corrected = by_group && units.corrected_by_group(bundle);
      listed_.add(wiring, units, bundle, *block, corrected ? static_cast<std::uint32_t>(uniform_.size()) : ListedRows::kNoColumn);
      if (!corrected) continue;
    }
    const double row_mean = wiring.expected_draws_of(bundle) / sources_;
    const DelayTable& delays = wiring.delays(bundle);
    largest_mean_count_ = std::max(largest_mean_count_, row_mean * delays.largest_group_share());
    const bool negative = wiring.weights(bundle).values.front() < 0.0;
    uniform_.push_back({&bundle, block});
    stream_.push_back(bundle.id | units.table_of[bundle.projection] << kTableShift);
    place_.push_back((negative ? block->negative_slot : block->positive_slot) | bundle.targets.size << 16);
    first_group_ = std::min(first_group_, delays.first_group);
    last_group = std::max(last_group, delays.first_group + delays.groups - 1);
  }
  if (uniform_.empty()) {
    first_group_ = 0;
    return;
  }
  groups_ = last_group - first_group_ + 1;
  for (auto* column : {&stream_, &place_}) column->resize(column->size() + kBundlePadding);
  for (std::uint32_t g = first_group_; g <= last_group; ++g) {
    for (const Target& target : uniform_) {
      const DelayTable& delays = wiring.delays(*target.bundle);
      const bool inside = g >= delays.first_group && g < delays.first_group + delays.groups;
      steps_.push_back(inside ? wiring.step_code(*target.bundle, g) : 0);
    }
  }
  steps_.resize(steps_.size() + kBundlePadding);
}

template <class Count>
void Fan::split(std::size_t bundle, std::uint32_t source, std::uint32_t count, Count* record) const {
  const DelayTable& delays = wiring_->delays(*uniform_[bundle].bundle);
  std::uint32_t per_group[kMaxDelayGroups];
  if (delays.groups == 1) {
    per_group[0] = count;
  } else {
    split_delays(wiring_->key(), source, uniform_[bundle].bundle->id, count,
                 delays.group_thresholds.data(), delays.groups, per_group);
  }
  Count* at = record + (delays.first_group - first_group_) * uniform_.size() + bundle;
  for (std::uint32_t g = 0; g < delays.groups; ++g) {
    at[g * uniform_.size()] = static_cast<Count>(per_group[g]);
  }
}

template <class Count>
void Fan::count_blocks(std::uint32_t first, std::uint32_t blocks, Count* records) const {
  const std::uint32_t begin = first * SourceTree::kBlock, n = std::min(blocks * SourceTree::kBlock, sources_ - begin);
  std::fill_n(records, n * record_size(), Count{0});
  std::uint32_t counts[kMostBlocks * SourceTree::kBlock] = {};
  for (std::size_t b = 0; b < uniform_.size(); ++b) {
    wiring_->counts_of(*uniform_[b].bundle, first, blocks, counts);
    for (std::uint32_t i = 0; i < n; ++i) split(b, begin + i, counts[i], records + i * record_size());
  }
}

template <class Count>
void Fan::count_source(std::uint32_t source, Count* record) const {
  std::fill_n(record, record_size(), Count{0});
  for (std::size_t b = 0; b < uniform_.size(); ++b) {
    split(b, source, wiring_->count(*uniform_[b].bundle, source), record);
  }
}

template void Fan::count_blocks(std::uint32_t, std::uint32_t, std::uint8_t*) const;
template void Fan::count_blocks(std::uint32_t, std::uint32_t, std::uint16_t*) const;
template void Fan::count_source(std::uint32_t, std::uint8_t*) const;
template void Fan::count_source(std::uint32_t, std::uint16_t*) const;

std::vector<Fan> make_fans(const Wiring& wiring, const WeightUnits& units, const TileLayout& layout,
                           const BundleChoice& holds, bool by_group) {
  const std::vector<Population>& populations = wiring.network().populations;
  std::vector<const BlockLayout*> block_of(wiring.chunks().size(), nullptr);
  for (const BlockLayout& block : layout.blocks) block_of[block.chunk] = &block;
  std::vector<std::vector<Fan::Target>> bundles(populations.size());
  for (const Bundle& bundle : wiring.bundles()) {
    const BlockLayout* block = block_of[bundle.chunk];
    if (block != nullptr && !is_plastic(wiring, bundle) && holds(bundle)) bundles[bundle.source_population].push_back({&bundle, block});
  }
  std::vector<Fan> fans;
  std::uint32_t first_source = 0;
  for (std::uint32_t p = 0; p < populations.size(); ++p) {
    Fan fan(wiring, units, bundles[p], p, first_source, by_group);
    if (!fan.empty()) fans.push_back(std::move(fan));
    first_source += populations[p].size;
  }
  return fans;
}

}  // namespace tessera
