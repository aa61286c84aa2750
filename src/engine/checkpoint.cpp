// Checkpoints: everything needed to go on, chunk by chunk, so that ranks, threads, tiles and connectivity may
// differ when the run is resumed. Rank 0 writes what the others send, a few megabytes at a time; every rank
// reads the file and keeps what is its own, and all spikes that are in flight.
//
// The body of the file (checkpoint_file.hpp): header; per population u64 spikes; per neuron u32 spikes of the
// open activity window; per step of history u32 n and n ids; per chunk u64 bytes and the bytes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "connectivity/in_flight.hpp"
#include "engine/checkpoint_file.hpp"
#include "engine/fingerprint.hpp"
#include "engine/simulation_impl.hpp"
#include "engine/spike_code.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

struct Header {
  std::uint64_t network = 0;  ///< fingerprint of description, seed and dt
  std::int64_t step = 0;
  std::int64_t window_begin = 0;
  std::uint64_t digest = 0;
  std::uint64_t spikes = 0;
  std::uint32_t exact = 0;
  std::uint32_t history_steps = 0;
};
static_assert(sizeof(Header) == 48 && std::is_trivially_copyable_v<Header>);

/// Neurons whose state is collected at a time.
constexpr std::uint64_t kBatch = 1 << 20;

/// Steps whose spikes may be in flight at `now`; the first is kFirstSpikeStep, once time has begun.
std::int64_t history_length(std::int64_t now, std::uint32_t longest) {
  return now == 0 ? 0 : std::min<std::int64_t>(now - kFirstSpikeStep, longest);
}

template <class T>
void append(std::vector<std::byte>& bytes, std::span<const T> values) {
  const auto more = std::as_bytes(values);
  bytes.insert(bytes.end(), more.begin(), more.end());
}

/// Collects a part of the file from all ranks and writes it on rank 0. A failure to write is kept until all ranks
/// have given everything.
class Collector {
 public:
  Collector(const Agreement& ranks, const std::vector<Chunk>& chunks, const Placement& placement)
      : ranks_(&ranks), chunks_(&chunks), placement_(&placement) {}

  template <class Write>
  void write(const Write& write) {
    if (!ranks_->first() || failure_) return;
    try {
      write();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  /// give(chunk, bytes) appends what an own chunk has; take(bytes) gets it on rank 0 and returns how much of what
  /// follows in the rank's bytes belongs to the chunk. Chunks come in order.
  template <class Give, class Take>
  void each_chunk(const Give& give, const Take& take) {
    for (std::uint32_t begin = 0; begin < chunks_->size();) {
      std::uint32_t end = begin;
      for (std::uint64_t neurons = 0; end < chunks_->size() && (end == begin || neurons < kBatch); ++end) {
        neurons += (*chunks_)[end].size;
      }
      std::vector<std::byte> mine;
      for (std::uint32_t c = begin; c < end; ++c) {
        if (placement_->rank_of_chunk[c] == static_cast<std::uint32_t>(placement_->rank)) give(c, mine);
      }
      Gathered all;
      ranks_->gather(mine, all);
      write([&] {
        std::vector<std::size_t> at(all.begin.begin(), all.begin.end() - 1);
        for (std::uint32_t c = begin; c < end; ++c) {
          std::size_t& from = at[placement_->rank_of_chunk[c]];
          from += take(c, std::span<const std::byte>(all.bytes).subspan(from, all.begin[placement_->rank_of_chunk[c] + 1] - from));
        }
      });
      begin = end;
    }
  }
  void settle() const { ranks_->settle_failures(failure_); }

 private:
  const Agreement* ranks_;
  const std::vector<Chunk>* chunks_;
  const Placement* placement_;
  std::exception_ptr failure_;
};

Tile* owner_of(const std::vector<std::unique_ptr<Tile>>& tiles, std::uint32_t chunk) {
  for (const auto& tile : tiles) {
    const std::vector<std::uint32_t> here = tile->chunks();
    if (std::find(here.begin(), here.end(), chunk) != here.end()) return tile.get();
  }
  return nullptr;
}

/// Own spikes of the steps [oldest, now), as a list between ranks.
template <class History>
SpikeWriter own_history(const History& spikes, std::int64_t oldest, std::int64_t now, std::uint64_t neurons) {
  SpikeWriter writer(neurons);
  for (std::int64_t step = oldest; step < now; ++step) {
    for (const std::uint32_t id : spikes(step)) writer.put(static_cast<std::uint64_t>(step - oldest), id);
  }
  return writer;
}

std::vector<std::vector<std::uint32_t>> sorted_history(const Gathered& all, std::uint64_t steps, std::uint64_t neurons) {
  std::vector<std::vector<std::uint32_t>> history(steps);
  const auto take = [&](std::uint64_t step, std::uint64_t id) { history[step].push_back(static_cast<std::uint32_t>(id)); };
  for (int r = 0; r + 1 < static_cast<int>(all.begin.size()); ++r) {
    if (!read_spikes(all.of(r), steps, neurons, take)) throw RunError("The spikes of rank " + std::to_string(r) + " arrived damaged.");
  }
  for (auto& ids : history) std::sort(ids.begin(), ids.end());
  return history;
}

}  // namespace

void Simulation::save_checkpoint(const std::filesystem::path& file) const {
  const Impl& s = *impl_;
  if (s.device != nullptr) s.device->write_tiles(*s.wiring, s.now);
  const auto spikes = [&s](std::int64_t step) { return s.device != nullptr ? s.device->history(step) : s.loop->history(step); };
  const SimulationReport report = s.report();
  s.ranks.enter("checkpoint", s.now);
  const std::int64_t length = history_length(s.now, s.loop->history_steps()), oldest = s.now - length;
  const std::uint64_t neurons = s.neurons->total();
  const SpikeWriter history = own_history(spikes, oldest, s.now, neurons);
  std::uint64_t sizes[] = {0, 0};  // spikes of the history, bytes of all chunks
  for (std::int64_t step = oldest; step < s.now; ++step) sizes[0] += spikes(step).size();
  for (const auto& tile : s.tiles) {
    for (const std::uint32_t chunk : tile->chunks()) sizes[1] += tile->chunk_bytes(chunk);
  }
  s.ranks.sum(sizes);
  const std::uint64_t body = sizeof(Header) + 8 * s.population_spikes.size() + 4 * neurons +
                             4 * (static_cast<std::uint64_t>(length) + sizes[0]) + 8 * s.wiring->chunks().size() + sizes[1];

  Collector collector(s.ranks, s.wiring->chunks(), s.placement);
  std::optional<CheckpointWriter> writer;
  collector.write([&] {
    writer.emplace(file, body);
    writer->put(Header{fingerprint(s.network, s.options.seed), s.now, s.window_begin, report.digest, report.counts.spikes,
                       s.options.precision == Precision::exact, static_cast<std::uint32_t>(length)});
    writer->put(std::as_bytes(std::span(s.population_spikes)));
  });
  NeuronRanges::Cursor numbers(s.loop->own());
  const std::vector<std::uint32_t>& counts = s.loop->spike_counts();
  collector.each_chunk(
      [&](std::uint32_t c, std::vector<std::byte>& bytes) {
        const Chunk& chunk = s.wiring->chunks()[c];
        const std::uint32_t first = numbers.number_of(s.context.first_id[chunk.population] + chunk.begin);
        append(bytes, std::span(counts).subspan(first, chunk.size));
      },
      [&](std::uint32_t c, std::span<const std::byte> bytes) {
        const std::size_t size = s.wiring->chunks()[c].size * sizeof(std::uint32_t);
        writer->put(bytes.first(size));
        return size;
      });
  Gathered histories;
  s.ranks.gather(history.bytes(), histories);
  collector.write([&] {
    for (const auto& ids : sorted_history(histories, static_cast<std::uint64_t>(length), neurons)) {
      writer->put(static_cast<std::uint32_t>(ids.size()));
      writer->put(std::as_bytes(std::span(ids)));
    }
  });
  collector.each_chunk(
      [&](std::uint32_t c, std::vector<std::byte>& bytes) {
        std::vector<std::uint8_t> state;
        if (const Tile* tile = owner_of(s.tiles, c)) tile->save_chunk(c, state);
        const std::uint64_t size = state.size();
        append(bytes, std::span(&size, 1));
        append(bytes, std::span<const std::uint8_t>(state));
      },
      [&](std::uint32_t, std::span<const std::byte> bytes) {
        std::uint64_t size = 0;
        std::memcpy(&size, bytes.data(), sizeof size);
        writer->put(bytes.first(sizeof size + size));
        return sizeof size + size;
      });
  collector.write([&] { writer->finish(); });
  collector.settle();
}

/// What a rank keeps of a checkpoint.
struct Simulation::Impl::Kept {
  Header header;
  std::vector<std::uint64_t> population_spikes;
  std::vector<std::uint32_t> spike_counts;          ///< of own neurons
  std::vector<std::vector<std::uint32_t>> history;  ///< of all neurons
  std::vector<std::pair<std::uint32_t, std::vector<std::uint8_t>>> chunks;  ///< own ones
};

/// Reads and checks everything; the simulation is not touched.
Simulation::Impl::Kept Simulation::Impl::read_checkpoint(const std::filesystem::path& file) const {
  CheckpointReader in(file);
  Kept kept;
  const Header header = kept.header = in.get<Header>();
  if (header.network != fingerprint(network, options.seed)) in.fail("it belongs to another network, seed or dt");
  if ((header.exact != 0) != (options.precision == Precision::exact)) in.fail("it was made with another precision");
  if (header.step < 0 || header.step > 0xffffffffll ||
      header.history_steps != history_length(header.step, loop->history_steps())) {
    in.fail("its step or history is out of range");
  }
  if (header.window_begin < 0 || header.window_begin > header.step ||
      header.step - header.window_begin >= rate_window()) {
    in.fail("its window of activity is out of range");
  }
  const auto is_own = [this](std::uint32_t c) {
    return placement.rank_of_chunk[c] == static_cast<std::uint32_t>(placement.rank);
  };
  kept.population_spikes = in.list<std::uint64_t>(population_spikes.size());
  const std::vector<Chunk>& chunks = wiring->chunks();
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    const std::uint32_t size = chunks[c].size;
    if (!is_own(c)) {
      in.skip(size * sizeof(std::uint32_t));
      continue;
    }
    const std::vector<std::uint32_t> counts = in.list<std::uint32_t>(size);
    kept.spike_counts.insert(kept.spike_counts.end(), counts.begin(), counts.end());
  }
  for (std::uint32_t i = 0; i < header.history_steps; ++i) {
    const std::vector<std::uint32_t>& ids = kept.history.emplace_back(in.list<std::uint32_t>(in.get<std::uint32_t>()));
    for (const std::uint32_t id : ids) {
      if (id >= neurons->total()) in.fail("it names neuron " + std::to_string(id) + ", which does not exist");
    }
  }
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    const auto size = in.get<std::uint64_t>();
    if (!is_own(c)) {
      in.skip(size);
      continue;
    }
    const Tile* owner = owner_of(tiles, c);
    // The state of neurons has one size, the histories of plastic synapses do not: load_chunk() looks at them.
    if (context.rules.empty() && size != (owner != nullptr ? owner->chunk_bytes(c) : 0)) in.fail("a chunk has another size");
    kept.chunks.emplace_back(c, in.list<std::uint8_t>(size));
  }
  if (!in.at_end()) in.fail("it goes on after its last value");
  return kept;
}

void Simulation::load_checkpoint(const std::filesystem::path& file) {
  Impl& s = *impl_;
  s.ranks.enter("reading a checkpoint", s.now);
  Impl::Kept kept;
  std::exception_ptr failure;
  try {
    kept = s.read_checkpoint(file);
  } catch (...) {
    failure = std::current_exception();
  }
  s.ranks.settle_failures(failure);

  for (const auto& [chunk, bytes] : kept.chunks) {
    Tile* owner = owner_of(s.tiles, chunk);
    if (owner != nullptr && !owner->load_chunk(chunk, bytes) && !failure) {
      failure = std::make_exception_ptr(InputError("The checkpoint '" + file.string() + "' cannot be used: a chunk has another size. "
                                                   "The simulation is no longer what it was."));
    }
  }
  s.ranks.settle_failures(failure);
  const Header& header = kept.header;
  s.now = header.step;
  s.window_begin = header.window_begin;
  // What this simulation did before is no part of the report any more; unsigned sums, over ranks too, wrap around.
  s.digest_before_checkpoint = s.ranks.first() ? header.digest : 0;
  s.spikes_before_checkpoint = s.ranks.first() ? header.spikes : 0;
  for (const StepLoop::Counters& worker : s.loop->worker_counters()) {
    s.digest_before_checkpoint -= worker.digest;
    s.spikes_before_checkpoint -= worker.spikes;
  }
  s.population_spikes = std::move(kept.population_spikes);
  s.loop->spike_counts() = std::move(kept.spike_counts);
  if (s.device != nullptr) s.device->take_over(*s.wiring, header.step, kept.history);
  for (std::uint32_t i = 0; s.device == nullptr && i < header.history_steps; ++i) {
    s.loop->restore(header.step - header.history_steps + i, header.step, kept.history[i]);
  }
}

}  // namespace tessera
