// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/chip_part.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tessera {

ChipPart::ChipPart(const PartContext& context, std::vector<PartChunk> chunks, int number, std::unique_ptr<ChipCircuits> circuits,
                   ThreadTeam& team)
    : context_(&context), team_(&team), circuits_(std::move(circuits)) {
  placement_.workers = team.size();
  placement_.rank = number;
  wiring_ = std::make_unique<Wiring>(Wiring::without_chunks(*context.wiring));
  for (const PartChunk& c : chunks) placement_.own_chunks.push_back(c.chunk);
  wiring_->own(placement_.own_chunks);
  place(std::move(chunks));
  tile_context_.wiring = wiring_.get();
  tile_context_.units = context.units;
  tile_context_.kernels = context.kernels;
  tile_context_.first_id = context.first_id;
  tile_context_.exchange_steps = context.local_interval;
  tile_context_.connectivity = context.connectivity;
  tile_context_.count_table = context.count_table;
  tile_context_.noise = context.noise;
  if (circuits_ != nullptr) {
    tile_context_.circuit_kernel = [this](std::uint32_t chunk, std::uint32_t place) {
      const Chunk& of = context_->wiring->chunks()[chunk];
      return circuits_->kernel(of.population, of.begin + place);
    };
  }
  make_tiles();
  Meetings meetings;
  meetings.local_interval = context.local_interval;
  meetings.remote_interval = context.local_interval;
  loop_ = std::make_unique<StepLoop>(tiles_, placement_, std::move(meetings), wiring_->max_delay_steps(),
                                     wiring_->ring_shape().steps(), *context.neurons);
  loop_->keep_spikes(true);
  make_sample_buffers();
  if (context.connectivity == Connectivity::stored) wiring_.reset();
}

/// Chunks in their order onto tiles with room for their input, one tile after the other for every thread.
void ChipPart::place(std::vector<PartChunk> chunks) {
  const std::vector<Chunk>& all = context_->wiring->chunks();
  const std::uint32_t room = context_->wiring->ring_shape().slots();
  const std::size_t wanted = std::min(chunks.size(), static_cast<std::size_t>(placement_.workers));
  std::vector<std::vector<PartChunk>> of_tile(std::max<std::size_t>(1, wanted));
  std::vector<std::uint32_t> used(of_tile.size(), 0);
  for (PartChunk& c : chunks) {
    const std::uint32_t need = slots_of(all[c.chunk], context_->ports[all[c.chunk].population]);
    std::size_t tile = static_cast<std::size_t>(std::min_element(used.begin(), used.end()) - used.begin());
    if (used[tile] + need > room) {
      tile = used.size();
      used.push_back(0);
      of_tile.emplace_back();
    }
    used[tile] += need;
    of_tile[tile].push_back(std::move(c));
  }
  for (std::size_t t = 0; t < of_tile.size(); ++t) {
    TilePlacement tile;
    for (const PartChunk& c : of_tile[t]) tile.chunks.push_back(c.chunk);
    tile.worker = static_cast<int>(t) % placement_.workers;
    layouts_.push_back(lay_out_tile(all, tile.chunks, context_->ports));
    for (std::size_t b = 0; b < of_tile[t].size(); ++b) layouts_.back().blocks[b].places = std::move(of_tile[t][b].places);
    placement_.tiles.push_back(std::move(tile));
  }
}

void ChipPart::make_tiles() {
  tiles_.resize(placement_.tiles.size());
  team_->run([&](int worker) {
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      if (placement_.tiles[t].worker != worker) continue;
      for (const std::uint32_t chunk : placement_.tiles[t].chunks) wiring_->prepare_chunk(chunk);
      tiles_[t] = make_fast_tile(tile_context_, layouts_[t]);
    }
  });
}

std::vector<Spike> ChipPart::advance(std::int64_t from, std::int64_t to, std::vector<PartTrace>& traces) {
  if (from == 0) loop_->begin(*team_);
  std::vector<SampleBuffer>& samples = loop_->samples();
  for (SampleBuffer& buffer : samples) {
    buffer.first_step = (from / buffer.interval + 1) * buffer.interval;
    buffer.rows = to >= buffer.first_step ? static_cast<std::size_t>((to - buffer.first_step) / buffer.interval + 1) : 0;
    buffer.values.assign(buffer.rows * buffer.columns, 0.0);
  }
  loop_->advance(*team_, from, to);
  for (std::size_t r = 0; r < samples.size(); ++r) {
    traces[r].values.insert(traces[r].values.end(), samples[r].values.begin(), samples[r].values.end());
  }
  return loop_->take_spikes();
}

void ChipPart::play_back(std::int64_t begin, std::span<const std::span<const std::uint32_t>> spikes) {
  loop_->play_back(*team_, begin, spikes);
}

std::vector<bool> ChipPart::reached_by(bool exactly) const {
  std::vector<bool> reached(context_->neurons->total(), false);
  if (exactly && wiring_ != nullptr) {
    draw_reached(reached);
    return reached;
  }
  for (std::uint32_t neuron = 0; neuron < reached.size(); ++neuron) {
    reached[neuron] = std::any_of(tiles_.begin(), tiles_.end(), [neuron](const auto& tile) { return tile->reaches(neuron); });
  }
  return reached;
}

void ChipPart::draw_reached(std::vector<bool>& reached) const {
  std::vector<std::vector<bool>> own(wiring_->chunks().size());
  for (const TileLayout& layout : layouts_) {
    for (const BlockLayout& block : layout.blocks) {
      own[block.chunk].assign(wiring_->chunks()[block.chunk].size, block.places.empty());
      for (const std::uint32_t place : block.places) own[block.chunk][place] = true;
    }
  }
  std::vector<RowSynapse> row;
  for (const Bundle& bundle : wiring_->bundles()) {
    const std::uint32_t first = context_->first_id[bundle.source_population];
    for (std::uint32_t s = 0; s < context_->network->populations[bundle.source_population].size; ++s) {
      if (reached[first + s]) continue;
      row.clear();
      wiring_->list_row(bundle, s, row);
      reached[first + s] = std::any_of(row.begin(), row.end(), [&](const RowSynapse& synapse) { return own[bundle.chunk][synapse.target]; });
    }
  }
}

void ChipPart::park(ScratchFile& file) {
  for (const auto& tile : tiles_) tile->rows()->park(file);
}

void ChipPart::unpark(const ScratchFile& file) {
  for (const auto& tile : tiles_) tile->rows()->unpark(file);
}

Tile::NotFinite ChipPart::find_not_finite() const {
  Tile::NotFinite first;
  const auto order = [](const Tile::NotFinite& f) { return std::tuple(f.step < 0, f.step, f.population, f.neuron); };
  for (const auto& tile : tiles_) {
    const Tile::NotFinite found = tile->find_not_finite();
    if (order(found) < order(first)) first = found;
  }
  return first;
}

RowCounters ChipPart::counters() const {
  RowCounters sum;
  for (const auto& tile : tiles_) {
    sum.synaptic_events += tile->counters().synaptic_events;
    sum.row_visits += tile->counters().row_visits;
  }
  return sum;
}

std::uint64_t ChipPart::synapses() const {
  std::uint64_t sum = 0;
  for (const auto& tile : tiles_) sum += tile->synapses();
  return sum;
}

PartMemory ChipPart::memory() const {
  PartMemory memory{wiring_ ? wiring_->bytes() : 0, neuron_bytes()};
  for (const auto& tile : tiles_) memory.synapses += tile->synapse_bytes();
  return memory;
}

/// State, refractoriness, what draws Poisson input, and the input ring with the slots in use.
std::uint64_t ChipPart::neuron_bytes() const {
  const auto padded = [](std::uint64_t n) { return (n + kNeuronPadding - 1) / kNeuronPadding * kNeuronPadding; };
  std::uint64_t bytes = 0;
  for (const TileLayout& layout : layouts_) {
    bytes += std::uint64_t{layout.slots} * context_->wiring->ring_shape().steps() * sizeof(std::int32_t);
    for (const BlockLayout& block : layout.blocks) {
      const Chunk& chunk = context_->wiring->chunks()[block.chunk];
      const NeuronVariant& variant = context_->kernels[chunk.population].variant;
      if (context_->ports[chunk.population] == 0) continue;
      const std::uint64_t n = circuits_ ? block.count(chunk) * padded(1) : padded(block.count(chunk));
      bytes += n * (variant.states.size() * sizeof(float) + sizeof(std::uint16_t)) +
               padded(chunk.size) * sizeof(std::int32_t) + block.places.size() * sizeof(std::uint32_t);
    }
  }
  return bytes;
}

void ChipPart::make_sample_buffers() {
  for (const StateRecorder& recorder : context_->network->recorders) {
    SampleBuffer buffer;
    buffer.population = static_cast<std::uint32_t>(context_->network->index_of(recorder.population));
    buffer.variable = recorder.variable;
    buffer.count = recorder.count;
    buffer.interval = std::max<std::int64_t>(1, std::llround(recorder.interval_ms / context_->network->dt_ms));
    for (std::size_t t = 0; t < layouts_.size(); ++t) {
      for (const BlockLayout& block : layouts_[t].blocks) {
        const Chunk& chunk = context_->wiring->chunks()[block.chunk];
        if (chunk.population != buffer.population || chunk.begin >= buffer.count) continue;
        const std::uint32_t limit = buffer.count - chunk.begin;  // places below it are recorded
        const auto below = std::lower_bound(block.places.begin(), block.places.end(), limit) - block.places.begin();
        const std::uint32_t n = block.places.empty() ? std::min(chunk.size, limit) : static_cast<std::uint32_t>(below);
        buffer.parts.push_back({t, block.chunk, chunk.begin, n, buffer.columns});
        buffer.columns += n;
      }
    }
    loop_->samples().push_back(std::move(buffer));
  }
}

std::vector<PartTrace> ChipPart::make_traces() const {
  std::vector<PartTrace> traces(loop_->samples().size());
  for (std::size_t r = 0; r < traces.size(); ++r) {
    for (const SampleBuffer::Part& part : loop_->samples()[r].parts) {
      const std::vector<BlockLayout>& blocks = layouts_[part.tile].blocks;
      const auto block = std::find_if(blocks.begin(), blocks.end(), [&](const BlockLayout& b) { return b.chunk == part.chunk; });
      for (std::uint32_t i = 0; i < part.count; ++i) {
        traces[r].neurons.push_back(part.begin + (block->places.empty() ? i : block->places[i]));
      }
    }
  }
  return traces;
}

}  // namespace tessera
