// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_loop.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>

#include "connectivity/in_flight.hpp"
#include "engine/device_draws.hpp"
#include "engine/device_memory.hpp"
#include "engine/device_rows.hpp"
#include "kernels/cuda/phases.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

void require_blocks(const gpu::MachineInfo& machine, const gpu::Layout& layout) {
  if (machine.multiprocessors > gpu::kMostBlocks || layout.neurons > 0xffff) {
    throw InputError("A block of this network would have " + std::to_string(layout.neurons) +
                     " neurons on a GPU of " + std::to_string(machine.multiprocessors) +
                     " multiprocessors; 65,535 neurons on at most 256 are possible.");
  }
}

}  // namespace

/// Shows every chunk of neurons, and its tile.
template <class Visit>
void DeviceLoop::each_column(const Visit& visit) {
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    for (const std::uint32_t chunk : tiles_[t]->chunks()) visit(*tiles_[t], chunk, context_->wiring->chunks()[chunk]);
  }
}

template <class Row>
void DeviceLoop::make_images(const Row& row) {
  const gpu::Layout& layout = map_.layout();
  images_.assign(std::size_t{layout.blocks} * layout.words, 0u);
  for (std::uint32_t b = 0; b < layout.blocks; ++b) {
    std::uint32_t* image = images_.data() + std::size_t{b} * layout.words;
    std::copy_n(reinterpret_cast<const std::uint32_t*>(map_.poisson().data()), map_.poisson().size() * sizeof(gpu::PoissonInput) / 4,
                image + layout.poisson_at);
    std::copy(map_.thresholds().begin(), map_.thresholds().end(), image + layout.thresholds_at);
    for (std::uint32_t p = 0; p < layout.slices; ++p) {
      const gpu::Slice& slice = map_.slice(b, p);
      std::memcpy(image + layout.slices_at + p * sizeof(gpu::Slice) / 4, &slice, sizeof slice);
      for (std::uint32_t i = slice.begin; i < slice.end; ++i) {
        const std::uint32_t id = slice.first_id + i - slice.begin;
        image[layout.slice_of_at + i] = p;
        std::tie(image[layout.row_at + i], image[layout.row_words_at + i]) = row(p, id - context_->first_id[p], id);
      }
    }
  }
  const std::vector<Population>& populations = context_->wiring->network().populations;
  for (std::uint32_t p = 0; p < populations.size() && !sources_.empty(); ++p) {
    source_rows_.resize(context_->first_id[p] + populations[p].size, gpu::kNoRow);
    if (populations[p].kind == Population::Kind::neurons) continue;
    for (std::uint32_t i = 0; i < populations[p].size; ++i) {
      source_rows_[context_->first_id[p] + i] = row(p, i, context_->first_id[p] + i).first;
    }
  }
  put_state();
}

void DeviceLoop::put_state() {
  const gpu::Layout& layout = map_.layout();
  each_column([&](const Tile& tile, std::uint32_t index, const Chunk& chunk) {
    std::vector<std::uint8_t> bytes;
    tile.save_chunk(index, bytes);
    const std::size_t columns = context_->kernels[chunk.population].variant.states.size();
    for (std::uint32_t i = 0; i < chunk.size; ++i) {
      const DeviceMap::Place place = map_.place(chunk.population, chunk.begin + i);
      std::uint32_t* image = images_.data() + std::size_t{place.block} * layout.words + place.neuron;
      for (std::size_t c = 0; c < columns; ++c) {
        std::memcpy(image + layout.columns_at + c * layout.neurons, bytes.data() + (c * chunk.size + i) * sizeof(float), sizeof(float));
      }
      std::uint16_t left = 0;
      std::memcpy(&left, bytes.data() + columns * chunk.size * sizeof(float) + i * sizeof left, sizeof left);
      image[layout.refractory_at] = left;
      if (layout.poisson > 0) {
        image[layout.chunk_at] = index;
        image[layout.in_chunk_at] = i;
      }
    }
  });
  upload_images();
}

DeviceLoop::DeviceLoop(std::unique_ptr<gpu::Machine> machine, const TileContext& context,
                       std::span<const std::unique_ptr<Tile>> tiles, std::span<const TileLayout> layouts, ThreadTeam& team)
    : machine_(std::move(machine)), info_(machine_->info()), context_(&context), tiles_(tiles), layouts_(layouts),
      map_(context.wiring->network(), context, info_.multiprocessors, context.wiring->max_delay_steps(),
           context.connectivity == Connectivity::procedural),
      sources_(context, team), samples_(context) {
  const Network& network = context.wiring->network();
  const gpu::Layout& layout = map_.layout();
  require_blocks(info_, layout);
  network_.layout = layout;
  network_.key_low = context.wiring->key().low;
  network_.key_high = context.wiring->key().high;
  network_.equation = map_.common_equation();
  const LaunchSize launch = choose_launch(map_, samples_);
  launch_steps_ = launch.steps;
  network_.log_capacity = static_cast<std::uint32_t>(launch.spikes_per_block);
  for (const Stimulus& stimulus : network.stimuli) {
    if (stimulus.kind != Stimulus::Kind::current) continue;
    currents_.push_back({static_cast<std::uint32_t>(network.index_of(stimulus.target)),
                         step_window(stimulus.start_ms, stimulus.duration_ms, network.dt_ms), stimulus.amplitude_pA,
                         stimulus.values.empty() ? nullptr : &stimulus.values});
  }
  context.connectivity == Connectivity::procedural ? draw_rows(team) : store_rows(team);
}

void DeviceLoop::store_rows(ThreadTeam& team) {
  const DeviceRows rows(*context_, tiles_, layouts_, map_, team);
  network_.kind = rows.wide() ? gpu::Rows::wide : gpu::Rows::packed;
  require_room(rows.bytes());
  auto* words = machine_->allocate_array<std::uint32_t>(rows.bytes() / 4);
  network_.rows = words;
  allocate();
  rows.upload(*machine_, words, team);
  for (const auto& tile : tiles_) tile->rows()->drop_words();
  make_images([&](std::uint32_t, std::uint32_t, std::uint32_t id) { return std::pair(rows.row(id), rows.words(id)); });
}

void DeviceLoop::draw_rows(ThreadTeam& team) {
  const DeviceDraws draws(*context_, tiles_, layouts_, map_, team);
  network_.layout = map_.layout();
  require_room(draws.bytes(), draws.written_bytes());
  draws.upload(*machine_, network_);
  allocate();
  for (const auto& tile : tiles_) tile->rows()->drop_words();
  make_images([&](std::uint32_t p, std::uint32_t source, std::uint32_t) { return std::pair(draws.row(p, source), 0u); });
  for (std::uint32_t b = 0; b < map_.layout().blocks; ++b) draws.write(images_.data() + std::size_t{b} * map_.layout().words);
  upload_images();
}

void DeviceLoop::allocate() {
  const gpu::Layout& layout = map_.layout();
  std::uint32_t neurons = 0;
  for (const Population& population : context_->wiring->network().populations) neurons += population.size;
  network_.records = machine_->allocate_array<gpu::SpikeRecord>(gpu::kCopies * 2 * layout.blocks);
  network_.overflow = machine_->allocate_array<std::uint32_t>(std::size_t{2} * layout.blocks * layout.neurons);
  network_.images = machine_->allocate_array<std::uint32_t>(std::size_t{layout.blocks} * layout.words);
  network_.totals = machine_->allocate_array<gpu::BlockTotals>(layout.blocks);
  network_.spike_counts = machine_->allocate_array<std::uint32_t>(neurons);
  totals_.resize(layout.blocks);
  machine_->upload(network_.totals, totals_.data(), totals_.size() * sizeof(gpu::BlockTotals));
  network_.log = machine_->allocate_array<gpu::LoggedSpike>(std::size_t{layout.blocks} * network_.log_capacity);
  samples_.allocate(*machine_, network_, launch_steps_);
  if (!sources_.empty()) network_.source_begin = machine_->allocate_array<std::uint32_t>(static_cast<std::size_t>(launch_steps_) + 1);
  reset_records(0);
}

void DeviceLoop::reset_records(std::int64_t now) {
  const gpu::Layout& layout = map_.layout();
  std::vector<gpu::SpikeRecord> records(gpu::kCopies * 2 * layout.blocks);
  for (gpu::SpikeRecord& record : records) record.head = gpu::stamp_of(now - 3) << 16;
  for (std::uint32_t copy = 0; copy < gpu::kCopies; ++copy) {
    const std::uint32_t first = (copy * 2 + gpu::side_of(now - 1)) * layout.blocks;
    for (std::uint32_t b = 0; b < layout.blocks; ++b) records[first + b].head = gpu::stamp_of(now - 1) << 16;
  }
  machine_->upload(network_.records, records.data(), records.size() * sizeof(gpu::SpikeRecord));
}

void DeviceLoop::require_room(std::uint64_t rows, std::uint64_t written) {
  const auto memory = device_memory(map_, samples_, context_->connectivity == Connectivity::procedural, rows, written);
  device_bytes_ = sum_of(memory);
  require_device_memory(memory, info_.free_bytes);
}

void DeviceLoop::upload_images() {
  machine_->upload(network_.images, images_.data(), images_.size() * sizeof(std::uint32_t));
}

void DeviceLoop::read_state() {
  const gpu::Layout& layout = map_.layout();
  const std::size_t width = std::size_t{layout.words} * sizeof(std::uint32_t);
  machine_->download(images_.data(), network_.images, width, width, layout.blocks);
  each_column([&](Tile& tile, std::uint32_t index, const Chunk& chunk) {
    std::vector<std::uint8_t> bytes;
    tile.save_chunk(index, bytes);
    const std::size_t columns = context_->kernels[chunk.population].variant.states.size();
    for (std::uint32_t i = 0; i < chunk.size; ++i) {
      const DeviceMap::Place place = map_.place(chunk.population, chunk.begin + i);
      const std::uint32_t* image = images_.data() + std::size_t{place.block} * layout.words + place.neuron;
      for (std::size_t c = 0; c < columns; ++c) {
        std::memcpy(bytes.data() + (c * chunk.size + i) * sizeof(float), image + layout.columns_at + c * layout.neurons, sizeof(float));
      }
      const auto left = static_cast<std::uint16_t>(image[layout.refractory_at]);
      std::memcpy(bytes.data() + columns * chunk.size * sizeof(float) + i * sizeof left, &left, sizeof left);
    }
    tile.load_chunk(index, bytes);
  });
}

/// The injected current is piecewise constant, and the sum of the same numbers in the same order as on the host.
void DeviceLoop::set_currents(std::int64_t step) {
  next_current_change_ = kForever;
  for (const Current& c : currents_) {
    if (step < c.window.begin) next_current_change_ = std::min(next_current_change_, c.window.begin);
    if (c.window.contains(step)) next_current_change_ = std::min(next_current_change_, c.window.end);
  }
  const gpu::Layout& layout = map_.layout();
  const std::size_t width = std::size_t{layout.words} * sizeof(std::uint32_t);
  machine_->download(images_.data(), network_.images, width, width, layout.blocks);
  const std::vector<Population>& populations = context_->wiring->network().populations;
  for (std::uint32_t p = 0; p < populations.size(); ++p) {
    if (populations[p].kind != Population::Kind::neurons) continue;
    double uniform = 0.0;
    for (const Current& c : currents_) {
      if (c.population == p && c.values == nullptr && c.window.contains(step)) uniform += c.amplitude;
    }
    for (std::uint32_t i = 0; i < populations[p].size; ++i) {
      double sum = uniform;
      for (const Current& c : currents_) {
        if (c.population == p && c.values != nullptr && c.window.contains(step)) sum += (*c.values)[i];
      }
      const auto current = static_cast<float>(sum);
      const DeviceMap::Place place = map_.place(p, i);
      std::memcpy(&images_[std::size_t{place.block} * layout.words + layout.current_at + place.neuron], &current, sizeof current);
    }
  }
  upload_images();
}

std::int64_t DeviceLoop::advance(std::int64_t from, std::int64_t to, std::int64_t next, bool keep_spikes, StepLoop& loop) {
  while (from < to) {
    if (started_to_ == 0) start(from, to);
    machine_->wait();
    from = std::exchange(started_to_, 0);
    fetch(from);
    const std::int64_t goal = from < to ? to : next;
    if (from < goal && from < next_current_change_) start(from, goal);
    take(keep_spikes, loop);
  }
  return from;
}

void DeviceLoop::start(std::int64_t from, std::int64_t to) {
  if (from >= next_current_change_) set_currents(from);
  started_to_ = std::min({to, from + launch_steps_, next_current_change_});
  network_.first_step = from;
  if (!sources_.empty()) send_source_rows(from, started_to_);
  samples_.begin(*machine_, network_, from, started_to_);
  machine_->start(network_, from, started_to_);
  sources_.draw_until(started_to_ + launch_steps_);  // while the device works
}

/// What sources spike in the steps from - 1 .. to - 2 arrives in from .. to - 1.
void DeviceLoop::send_source_rows(std::int64_t from, std::int64_t to) {
  sources_.draw_until(to);
  std::vector<std::uint32_t> begin{0}, rows;
  for (std::int64_t step = from; step < to; ++step) {
    for (const std::uint32_t id : sources_.of(step - 1)) {
      if (source_rows_[id] != gpu::kNoRow) rows.push_back(source_rows_[id]);
    }
    begin.push_back(static_cast<std::uint32_t>(rows.size()));
  }
  if (rows.size() > source_room_) {  // what it had before stays taken, less than as much again
    source_room_ = std::max(rows.size(), 2 * source_room_);
    network_.source_rows = machine_->allocate_array<std::uint32_t>(source_room_);
  }
  machine_->upload(const_cast<std::uint32_t*>(network_.source_begin), begin.data(), begin.size() * sizeof begin[0]);
  if (!rows.empty()) machine_->upload(const_cast<std::uint32_t*>(network_.source_rows), rows.data(), rows.size() * sizeof rows[0]);
  // Those at time 0 count with the first step.
  for (std::int64_t step = from == 0 ? kFirstSpikeStep : from; step < to; ++step) {
    for (const std::uint32_t id : sources_.of(step)) of_sources_.push_back({static_cast<std::uint32_t>(step + 1), id});
  }
  sources_.forget_before(to - 1);
}

/// Brings what a launch left, before the next one begins.
void DeviceLoop::fetch(std::int64_t end) {
  raw_.end = end;
  raw_.of_sources = std::exchange(of_sources_, {});
  samples_.fetch(*machine_, network_);
  const std::size_t width = sizeof(gpu::BlockTotals);
  raw_.totals.resize(totals_.size());
  machine_->download(raw_.totals.data(), network_.totals, width, width, raw_.totals.size());
  std::uint32_t neurons = 0;
  for (const Population& population : context_->wiring->network().populations) neurons += population.size;
  raw_.counts.resize(neurons);
  machine_->download(raw_.counts.data(), network_.spike_counts, sizeof(std::uint32_t), sizeof(std::uint32_t), neurons);
  machine_->clear(network_.spike_counts, neurons * sizeof(std::uint32_t));
  raw_.most = 0;
  for (const gpu::BlockTotals& totals : raw_.totals) raw_.most = std::max(raw_.most, totals.logged);
  if (raw_.most == 0) return;
  static_assert(sizeof(Spike) == sizeof(gpu::LoggedSpike));
  raw_.log.resize(std::max(raw_.log.size(), raw_.totals.size() * raw_.most));
  machine_->download(raw_.log.data(), network_.log, network_.log_capacity * sizeof(Spike), raw_.most * sizeof(Spike), raw_.totals.size());
}

void DeviceLoop::take(bool keep_spikes, StepLoop& loop) {
  StepLoop::Counters counters;
  std::vector<Spike> spikes = std::move(raw_.of_sources);
  std::vector<std::uint32_t>& counts = loop.spike_counts();
  for (const Spike& spike : spikes) {
    counters.digest += spike_hash(spike.step, spike.neuron);
    ++counts[spike.neuron];
  }
  counters.spikes = spikes.size();
  for (std::size_t b = 0; b < totals_.size(); ++b) {
    const gpu::BlockTotals& now = raw_.totals[b];
    if (now.failed != 0) throw RunError("A block of the GPU waited in vain for the spikes of another one.");
    counters.digest += now.digest - totals_[b].digest;
    counters.spikes += now.spikes - totals_[b].spikes;
    const auto first = raw_.log.begin() + static_cast<std::ptrdiff_t>(b * raw_.most);
    spikes.insert(spikes.end(), first, first + now.logged);
    totals_[b] = now;
  }
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += raw_.counts[i];
  loop.take_in(counters, keep_spikes ? std::span<const Spike>(spikes) : std::span<const Spike>());
  samples_.take(loop.samples());
  const std::int64_t oldest = raw_.end - loop.history_steps();  // a checkpoint wants those behind it
  const auto is_old = [oldest](const Spike& spike) { return static_cast<std::int64_t>(spike.step) - 1 < oldest; };
  std::erase_if(recent_, is_old);
  std::copy_if(spikes.begin(), spikes.end(), std::back_inserter(recent_), [&](const Spike& spike) { return !is_old(spike); });
  std::sort(recent_.begin(), recent_.end(), [](const Spike& a, const Spike& b) { return a.step != b.step ? a.step < b.step : a.neuron < b.neuron; });
}

Tile::NotFinite DeviceLoop::find_not_finite() const {
  std::uint64_t first = ~std::uint64_t{0};
  for (const gpu::BlockTotals& totals : totals_) first = std::min(first, totals.not_finite);
  if (first == ~std::uint64_t{0}) return {};
  const auto id = static_cast<std::uint32_t>(first);
  std::uint32_t p = 0;
  while (p + 1 < context_->first_id.size() && context_->first_id[p + 1] <= id) ++p;
  return {static_cast<std::int64_t>(first >> 32), p, id - context_->first_id[p], Tile::NotFinite::kNoProjection};
}

RowCounters DeviceLoop::counters() const {
  RowCounters sum;
  for (const gpu::BlockTotals& totals : totals_) {
    sum.synaptic_events += totals.events;
    sum.row_visits += totals.visits;
  }
  return sum;
}

PhaseSeconds DeviceLoop::phases() const {
  double cycles[3] = {}, all = 0.0;
  for (const gpu::BlockTotals& totals : totals_) {
    for (int k = 0; k < 3; ++k) {
      cycles[k] += static_cast<double>(totals.cycles[k]);
      all += static_cast<double>(totals.cycles[k]);
    }
  }
  PhaseSeconds phases;
  if (all == 0.0) return phases;
  phases.deliver = machine_->seconds() * cycles[0] / all;
  phases.update = machine_->seconds() * cycles[1] / all;
  phases.exchange = machine_->seconds() * cycles[2] / all;
  return phases;
}

}  // namespace tessera
