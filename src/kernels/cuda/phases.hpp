// A step of a block as phases between barriers of its threads. Every phase is a function of one thread;
// host and device compile the same text. On a GPU all threads of a block run a phase at once, in tests a
// loop runs them one after the other in any order, which must not change the result.
//
// The step t -> t + 1 of a block:
//   receive  waits for what every block published of step t - 1, and adds the block's part of the rows of
//            these spikes to its ring, whatever their delay, as they come;
//   update   (after a barrier) consumes and clears ring row t, advances the neurons, lists who crossed
//            the threshold;
//   publish  (after a barrier) writes that list into the block's record and asks memory for the rows that
//            will be read. The next receive follows without a barrier.
// Why records need no barrier over blocks, and two of them are enough: a block publishes step t only after
// it has received the records of step t - 1 of all blocks, and a block publishes t - 1 only after it has
// received t - 2 of all. So when a record of step t replaces that of t - 2, everybody has read it.
// Between publish and update lies one barrier only, so what publish reads of a step is kept per side
// (step & 1) and cleared by the next update.
// Sums are of integers, so the order in which rows are added changes nothing.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/drawn_rows.hpp"
#include "kernels/cuda/stored_rows.hpp"

namespace tessera::gpu {

/// Poisson input of this step, while the first threads wait for records: the last threads take the first
/// neurons.
template <Rows kRows>
TESSERA_PHASE void draw_input(std::uint32_t thread, const Block& b, std::int64_t step, std::uint32_t now) {
  const Layout& layout = b.layout();
  if (layout.poisson == 0) return;
  const auto* inputs = reinterpret_cast<const PoissonInput*>(b.image + layout.poisson_at);
  const std::uint32_t neurons = b.neurons();
  for (std::uint32_t i = b.threads - 1 - thread; i < neurons; i += b.threads) {
    const Slice& slice = b.slices()[b.image[layout.slice_of_at + i]];
    const std::uint32_t in_chunk = b.image[layout.in_chunk_at + i], stream = b.image[layout.chunk_at + i] << 12;
    for (std::uint32_t p = slice.poisson_begin; p < slice.poisson_end; ++p) {
      const PoissonInput& input = inputs[p];
      if (step < input.begin || step >= input.end) continue;
      const std::uint32_t* thresholds = b.image + layout.thresholds_at + input.thresholds_at;
      std::int32_t count = 0;
      for (std::uint32_t part = 0; part < input.parts; ++part) {
        std::uint32_t words[4];
        philox(*b.network, in_chunk / 64 * 16 + in_chunk % 16, static_cast<std::uint32_t>(step), stream | input.stimulus,
               kPoissonPurpose | part << 8, words);
        const std::uint32_t word = in_chunk % 64 / 16;
        const std::uint32_t draw = word == 0 ? words[0] : word == 1 ? words[1] : word == 2 ? words[2] : words[3];
        for (std::uint32_t k = 0; k < input.thresholds && thresholds[k] <= draw; ++k) ++count;
      }
      const std::uint32_t port = input.weight < 0 ? slice.negative : slice.positive;
      if (count > 0) add(b.ring<kRows>() + now + port + i - slice.begin, count * input.weight);
    }
  }
}

/// State variables that a kernel for this equation carries; of any: those of the image, at most kMostColumns.
template <Equation kEquation>
inline constexpr std::uint32_t kColumns = kEquation == Equation::none ? kMostColumns : columns_of(kEquation);

template <Equation kEquation>
TESSERA_PHASE Neuron load_neuron(const Block& b, std::uint32_t i) {
  const Layout& layout = b.layout();
  Neuron neuron;
  neuron.slice = b.image[layout.slice_of_at + i];
  neuron.row = b.image[layout.row_at + i];
  neuron.left = b.image[layout.refractory_at + i];
  neuron.current = reinterpret_cast<const float*>(b.image + layout.current_at)[i];
  const auto* column = reinterpret_cast<const float*>(b.image + layout.columns_at) + i;
  for (std::uint32_t c = 0; c < kColumns<kEquation>; ++c) neuron.state[c] = c < layout.columns ? column[c * layout.neurons] : 0.0f;
  return neuron;
}

template <Equation kEquation>
TESSERA_PHASE void store_neuron(const Block& b, std::uint32_t i, const Neuron& neuron) {
  const Layout& layout = b.layout();
  b.image[layout.refractory_at + i] = neuron.left;
  auto* column = reinterpret_cast<float*>(b.image + layout.columns_at) + i;
  for (std::uint32_t c = 0; c < kColumns<kEquation>; ++c) {
    if (c < layout.columns) column[c * layout.neurons] = neuron.state[c];
  }
}

/// Takes the input of a slot and clears it.
template <Rows kRows>
TESSERA_PHASE float take(std::int32_t* slot, float scale) {
  const std::int32_t units = kRows == Rows::drawn ? load_added(slot) : *slot;
  *slot = 0;
  return static_cast<float>(units) * scale;
}

/// What recorders want of a neuron (global id) after a step.
TESSERA_PHASE void sample_neuron(const Network& network, const Neuron& neuron, std::uint32_t id, std::int64_t step) {
  for (std::uint32_t r = 0; r < network.recorders; ++r) {
    const Recorder& recorder = network.recorder[r];
    const std::uint32_t in_population = id - recorder.first_id;
    if (recorder.population != neuron.slice || in_population >= recorder.count || step + 1 < recorder.first_step) continue;
    const auto since = static_cast<std::uint32_t>(step + 1 - recorder.first_step);
    if (since % recorder.interval != 0) continue;
    float value = 0.0f;
    for (std::uint32_t c = 0; c < kMostColumns; ++c) {  // an index that is not known would put all state into memory
      if (c == recorder.column) value = neuron.state[c];
    }
    network.samples[recorder.values_at + std::size_t{since / recorder.interval} * recorder.count + in_population] = value;
  }
}

/// Neuron i of the block. kEquation: that of all neurons; none: each looks at its slice.
template <Rows kRows, Equation kEquation>
TESSERA_PHASE void advance_neuron(const Block& b, std::uint32_t i, Neuron& neuron, std::int64_t step, std::int32_t* ring_row) {
  const Slice& slice = b.slices()[neuron.slice];
  const Equation equation = kEquation == Equation::none ? slice.equation : kEquation;
  const std::uint32_t in_slice = i - slice.begin;
  float input[2];
  input[0] = take<kRows>(ring_row + slice.positive + in_slice, slice.scale);
  input[1] = ports_of(equation) == 2 ? take<kRows>(ring_row + slice.negative + in_slice, slice.scale) : 0.0f;
  const bool spiked = advance(equation, slice.constants, neuron.state, input, neuron.current, neuron.left > 0);
  if (neuron.left > 0) --neuron.left;
  if (!(neuron.state[0] - neuron.state[0] == 0.0f)) {
    keep_least(&b.network->totals[b.index].not_finite, static_cast<std::uint64_t>(step + 1) << 32 | (slice.first_id + in_slice));
  }
  if (spiked) neuron.left = slice.refractory_steps;
  if constexpr (kEquation == Equation::none) sample_neuron(*b.network, neuron, slice.first_id + in_slice, step);
  if (!spiked) return;
  Scratch::Crossed& crossed = b.scratch->crossed[side_of(step)];
  const std::uint32_t k = add(&crossed.count, 1u);
  if (k < SpikeRecord::kRows) crossed.rows[k] = neuron.row;
  b.image[b.layout().spiked_at + k] = i;
}

/// Counts of the step before join those of the launch, and are cleared.
TESSERA_PHASE void settle_step(const Block& b, std::int64_t step) {
  Scratch& scratch = *b.scratch;
  Scratch::Crossed& before = scratch.crossed[side_of(step - 1)];
  scratch.spikes_in_all += before.count;
  scratch.logged += before.count;
  before.count = 0;
  scratch.events_in_all += scratch.events;
  scratch.visits_in_all += scratch.visits;
  scratch.events = scratch.visits = scratch.listed = 0;
}

/// kOwn: every thread keeps its neuron; else neurons come from the image and go back.
template <Rows kRows, Equation kEquation, bool kOwn>
TESSERA_PHASE void update(std::uint32_t thread, const Block& b, Neuron& own, std::int64_t step, std::uint32_t now) {
  std::int32_t* ring_row = b.ring<kRows>() + now;
  if constexpr (kOwn) {
    if (thread < b.neurons()) advance_neuron<kRows, kEquation>(b, thread, own, step, ring_row);
  } else {
    for (std::uint32_t i = thread; i < b.neurons(); i += b.threads) {
      Neuron neuron = load_neuron<kEquation>(b, i);
      advance_neuron<kRows, kEquation>(b, i, neuron, step, ring_row);
      store_neuron<kEquation>(b, i, neuron);
    }
  }
  if (thread == b.threads - 1) settle_step(b, step);
}

/// Rows beyond what a record holds; a barrier follows, then publish().
TESSERA_PHASE void publish_overflow(std::uint32_t thread, const Block& b, std::int64_t step) {
  const Layout& layout = b.layout();
  std::uint32_t* list = b.network->overflow + (std::size_t{side_of(step)} * layout.blocks + b.index) * layout.neurons;
  for (std::uint32_t k = thread; k < b.scratch->crossed[side_of(step)].count; k += b.threads) {
    list[k] = b.image[layout.row_at + b.image[layout.spiked_at + k]];
  }
  fence();
}

/// An order-free hash of (step, neuron) pairs, the same as spike_hash() of the step loop.
TESSERA_PHASE std::uint64_t hash_of(std::uint32_t step, std::uint32_t neuron) {
  std::uint64_t x = (static_cast<std::uint64_t>(step) << 32 | neuron) + 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// What nobody waits for: hash, count and log of spike k, and the row that all blocks will read.
TESSERA_PHASE void settle_spike(std::uint32_t k, const Block& b, std::int64_t step) {
  const Layout& layout = b.layout();
  const Network& network = *b.network;
  const std::uint32_t i = b.image[layout.spiked_at + k];
  const std::uint32_t row = b.image[layout.row_at + i];
  if (row != kNoRow) {
    if (network.rows != nullptr) {
      ask_for(network.rows + std::size_t{row} * kLine, b.image[layout.row_words_at + i] * 4);
    } else {
      const DrawnPopulation& population = b.populations()[row >> kSourceBits];
      ask_for(network.counts + population.counts_at + std::size_t{row & ((1u << kSourceBits) - 1)} * population.stride,
              population.stride * 2);
    }
  }
  const Slice& slice = b.slices()[b.image[layout.slice_of_at + i]];
  const std::uint32_t id = slice.first_id + i - slice.begin;
  const auto stamp = static_cast<std::uint32_t>(step + 1);
  add64(&b.scratch->digest, hash_of(stamp, id));
  add(network.spike_counts + id, 1u);
  network.log[std::size_t{b.index} * network.log_capacity + b.scratch->logged + k] = {stamp, id};
}

/// The first threads publish a copy each, the last ones do the rest.
TESSERA_PHASE void publish(std::uint32_t thread, const Block& b, std::int64_t step) {
  const Scratch::Crossed crossed = b.scratch->crossed[side_of(step)];
  if (thread < kCopies) {
    SpikeRecord record;
    record.head = stamp_of(step) << 16 | crossed.count;
    for (std::uint32_t k = 0; k < SpikeRecord::kRows; ++k) record.rows[k] = crossed.rows[k];
    store_record(b.network->records + (thread * 2 + side_of(step)) * b.layout().blocks + b.index, record);
  }
  for (std::uint32_t k = b.threads - 1 - thread; k < crossed.count; k += b.threads) settle_spike(k, b, step);
}

/// One step of a block in two halves; false where a record never came. Where rows are drawn, all blocks meet
/// between the halves, because they add to each other's neurons. A Team runs a phase on all threads, each with
/// its neuron, and then lets them meet (phase), or not (apart). Numbers are those of BlockTotals::cycles. kEquation as
/// in update(): only blocks for any equation have sources.
template <Rows kRows, Equation kEquation, class Team>
TESSERA_PHASE bool begin_step(Team& team, const Block& b, std::int64_t step, std::uint32_t now) {
  if constexpr (kRows == Rows::drawn) {
    for (std::uint32_t round = 0;; ++round) {
      team.phase(0, [&](std::uint32_t thread, Neuron&) {
        if (round == 0) draw_input<kRows>(thread, b, step, now);
        list_rows(thread, b, step - 1, round);
      });
      if (b.scratch->failed != 0) return false;
      const bool more = b.scratch->listed > kListed;
      team.phase(0, [&](std::uint32_t thread, Neuron&) {
        draw_rows(thread, b, now);
        if constexpr (kEquation == Equation::none) add_written(thread, b, now);
      });
      if (!more) break;
      team.phase(0, [&](std::uint32_t thread, Neuron&) {
        if (thread == 0) b.scratch->listed = 0;
      });
    }
    if constexpr (kEquation == Equation::none) {
      const SourceRows sources = sources_of(b, step);
      for (std::uint32_t at = sources.begin; at < sources.end; at += kListed) {
        team.phase(0, [&](std::uint32_t thread, Neuron&) { list_sources(thread, b, at, sources.end); });
        team.phase(0, [&](std::uint32_t thread, Neuron&) {
          draw_rows(thread, b, now);
          add_written(thread, b, now);
        });
      }
    }
    return true;
  } else {
    team.phase(0, [&](std::uint32_t thread, Neuron&) {
      draw_input<kRows>(thread, b, step, now);
      if constexpr (kEquation == Equation::none) add_sources<kRows>(thread, b, step, now);
      receive<kRows>(thread, b, step - 1, now);
    });
    return b.scratch->failed == 0;
  }
}
template <Rows kRows, Equation kEquation, bool kOwn, class Team>
TESSERA_PHASE void end_step(Team& team, const Block& b, std::int64_t step, std::uint32_t now) {
  team.phase(1, [&](std::uint32_t thread, Neuron& own) { update<kRows, kEquation, kOwn>(thread, b, own, step, now); });
  if (b.scratch->crossed[side_of(step)].count > SpikeRecord::kRows) {
    team.phase(2, [&](std::uint32_t thread, Neuron&) { publish_overflow(thread, b, step); });
  }
  team.apart([&](std::uint32_t thread, Neuron&) { publish(thread, b, step); });
}

/// The block's image and counters when a launch begins; a barrier follows, then take_neuron(). `image` is
/// where the phases will find it: in shared memory, or where it is.
TESSERA_PHASE void begin_launch(std::uint32_t thread, const Block& b) {
  const std::uint32_t* kept = b.network->images + std::size_t{b.index} * b.layout().words;
  if (b.image != kept) {
    for (std::uint32_t k = thread; k < b.layout().words; k += b.threads) b.image[k] = kept[k];
  }
  if (thread == 0) *b.scratch = Scratch{};
}
template <Equation kEquation>
TESSERA_PHASE void take_neuron(std::uint32_t thread, const Block& b, Neuron& own) {
  if (thread < b.neurons()) own = load_neuron<kEquation>(b, thread);
}

/// After the last step and a barrier: leave_neuron(), a barrier, end_launch().
template <Equation kEquation>
TESSERA_PHASE void leave_neuron(std::uint32_t thread, const Block& b, const Neuron& own) {
  if (thread < b.neurons()) store_neuron<kEquation>(b, thread, own);
}
TESSERA_PHASE void end_launch(std::uint32_t thread, const Block& b, std::int64_t to) {
  std::uint32_t* kept = b.network->images + std::size_t{b.index} * b.layout().words;
  if (b.image != kept) {
    for (std::uint32_t k = thread; k < b.layout().words; k += b.threads) kept[k] = b.image[k];
  }
  if (thread != 0) return;
  settle_step(b, to);
  const Scratch& scratch = *b.scratch;
  BlockTotals& totals = b.network->totals[b.index];
  totals.digest += scratch.digest;
  totals.spikes += scratch.spikes_in_all;
  totals.events += scratch.events_in_all;
  totals.visits += scratch.visits_in_all;
  totals.logged = scratch.logged;
  totals.failed = scratch.failed;
}

/// Calls run with the template arguments of the halves of a step that suit a network. The kinds of neurons
/// are told apart only where every thread keeps its neuron: only then does it matter. What these kernels need not
/// know (other models, sources, recorders, written rows beside drawn ones) would take registers from them.
template <class Run>
void choose_steps(const Network& network, std::uint32_t threads, const Run& run) {
  const bool own = network.layout.neurons <= threads;
  const auto with_rows = [&]<Rows kRows>() {
    const bool any = network.source_begin != nullptr || network.recorders > 0 || network.written_begin != nullptr;
    if (!own) return run.template operator()<kRows, Equation::none, false>();
    if (any) return run.template operator()<kRows, Equation::none, true>();
    if (network.equation == Equation::iaf_psc_exp_one) return run.template operator()<kRows, Equation::iaf_psc_exp_one, true>();
    if (network.equation == Equation::iaf_psc_exp_two) return run.template operator()<kRows, Equation::iaf_psc_exp_two, true>();
    return run.template operator()<kRows, Equation::none, true>();
  };
  switch (network.kind) {
    case Rows::packed: return with_rows.template operator()<Rows::packed>();
    case Rows::wide: return with_rows.template operator()<Rows::wide>();
    case Rows::drawn: return with_rows.template operator()<Rows::drawn>();
  }
}

/// Where the ring row of a step begins.
TESSERA_PHASE std::uint32_t ring_row_of(const Layout& layout, std::int64_t step) {
  return static_cast<std::uint32_t>(step % layout.ring_steps) * layout.slots;
}

}  // namespace tessera::gpu
