// What a GPU keeps of a network: plain structs of 32-bit words that host and device read alike.
//
// A block is one multiprocessor and its shared memory. It owns a slice of every population, so all blocks
// have the same work. Its *image* is everything that changes while time passes, and the constants: it is
// copied into shared memory when a launch begins and back when it ends, or is used where it is when it
// does not fit.
// A source's *row* lies in one piece, padded to kLine words: an offset per block (and one behind the
// last), then the words of block 0, block 1, ... A word is place + weight; place = (delay - 1) * slots +
// slot, so that a spike is added by `ring[(place + row of now) mod ring]`, whatever its delay. The ring
// is as long as the longest delay.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tessera::gpu {

inline constexpr std::uint32_t kLine = 32;  ///< words that a row begins at a multiple of
inline constexpr std::uint32_t kCopies = 4;  ///< of every record
inline constexpr std::uint32_t kNoRow = 0xffffffffu;
inline constexpr std::uint32_t kMostBlocks = 256;
inline constexpr std::uint32_t kMostConstants = 22;
inline constexpr std::uint32_t kMostColumns = 5;
inline constexpr std::uint32_t kPlaceBits = 18;  ///< of a packed word, the rest is its weight
inline constexpr std::uint32_t kMostPlaces = 1u << kPlaceBits;

/// The neuron equations that run on a device; state columns and ports follow from it.
enum class Equation : std::uint32_t {
  none,
  iaf_psc_exp_one,
  iaf_psc_exp_two,
  iaf_psc_delta,
  iaf_psc_alpha_one,
  iaf_psc_alpha_two,
  izhikevich,
  iaf_cond_exp,
  aeif_cond_exp
};

/// The part of a population that a block owns.
struct alignas(16) Slice {
  float constants[kMostConstants] = {};
  float scale = 1.0f;                         ///< physical weight per unit
  std::uint32_t refractory_steps = 0;
  Equation equation = Equation::none;
  std::uint32_t begin = 0, end = 0;           ///< neurons of the block
  std::uint32_t first_id = 0;                 ///< global id of neuron `begin`
  std::uint32_t positive = 0, negative = 0;   ///< input slots of neuron `begin`
  std::uint32_t poisson_begin = 0, poisson_end = 0;  ///< its Poisson inputs
};
static_assert(sizeof(Slice) == 4 * 32);

/// Poisson input of a population: a number per neuron and step, drawn as kernels/poisson.hpp says.
struct PoissonInput {
  std::int64_t begin = 0, end = 0;  ///< steps
  std::uint32_t stimulus = 0;       ///< with the chunk the key of its draws
  std::int32_t weight = 0;          ///< units
  std::uint32_t parts = 1;
  std::uint32_t thresholds_at = 0, thresholds = 0;  ///< in the image, counted from Layout::thresholds_at
  std::uint32_t unused = 0;
};
static_assert(sizeof(PoissonInput) == 4 * 10);

/// How a device holds synapses: words of one or two of 32 bits written down in rows, or what they are drawn from.
enum class Rows : std::uint32_t { packed, wide, drawn };

/// Drawn rows: what a source population sends into a chunk, one delay group of it.
struct DrawnEntry {
  std::uint32_t stream = 0;        ///< key of the bundle's draws
  std::uint32_t first_weight = 0;  ///< where its weight table begins
  std::uint32_t size = 0;          ///< of the chunk
  std::uint32_t slot = 0;          ///< ring slot of the chunk's first neuron
  std::uint32_t group = 0;         ///< delay group, as draws know it: << 20
  std::uint32_t delay = 0;         ///< the group's first delay, less one
  std::uint32_t steps = 0;         ///< three thresholds, or where a step table begins (kernels/draw_rows.hpp)
  std::uint32_t unused = 0;
};
struct DrawnPopulation {
  std::uint64_t counts_at = 0;  ///< of its first source
  std::uint32_t entries_at = 0, entries = 0;
  std::uint32_t stride = 0;     ///< counts from one source to the next: entries, rounded up to 16 bytes
  std::uint32_t written_at = 0; ///< of its first source, in Network::written_begin
};
/// A drawn row's name: the population and the source in it.
inline constexpr std::uint32_t kSourceBits = 24;

/// Where things are in an image, in words. All blocks have the same layout.
struct Layout {
  std::uint32_t blocks = 0;
  std::uint32_t slices = 0;      ///< per block
  std::uint32_t neurons = 0;     ///< the most of any block
  std::uint32_t slots = 0;       ///< input slots of a step: of a block, or of all where rows are drawn
  std::uint32_t ring_steps = 0;  ///< the longest delay
  std::uint32_t poisson = 0;     ///< Poisson inputs
  std::uint32_t thresholds = 0;  ///< of their tables, in all
  // Drawn rows: what every step looks up is part of the image, because each meeting empties the first-level cache.
  std::uint32_t entries = 0, weights = 0;  ///< of all populations, of all tables
  std::uint32_t columns = 0;     ///< state variables, the most of any equation
  std::uint32_t populations_at = 0, entries_at = 0, weights_at = 0;
  std::uint32_t poisson_at = 0, thresholds_at = 0, chunk_at = 0, in_chunk_at = 0;
  std::uint32_t slices_at = 0, slice_of_at = 0, row_at = 0, row_words_at = 0, current_at = 0;
  std::uint32_t refractory_at = 0, columns_at = 0, spiked_at = 0, ring_at = 0;
  std::uint32_t words = 0;

  /// Fills in where things are. Without a ring where it belongs to all blocks.
  void place(bool with_ring);
};

/// The spikes of a block in a step, as every other block reads them: 16 bytes that are written and read
/// as one, so that who sees the stamp sees the rows. More than kRecordRows go through `overflow`.
struct alignas(16) SpikeRecord {
  static constexpr std::uint32_t kRows = 3;
  std::uint32_t head = 0;  ///< stamp << 16 | number of spikes
  std::uint32_t rows[kRows] = {};  ///< where rows begin, in lines
};

/// A spike of the log. Like Spike: the end of its step, the global id.
struct LoggedSpike {
  std::uint32_t step, neuron;
};

/// What a launch writes down of a population: a state variable of its first neurons, every `interval` steps.
struct Recorder {
  std::uint64_t values_at = 0;  ///< [sample][neuron]: floats
  std::int64_t first_step = 0;  ///< the first sample of the launch: the state after so many steps
  std::uint32_t population = 0, first_id = 0, count = 0, interval = 1;
  std::uint32_t column = 0;
  std::uint32_t unused = 0;
};

/// What a block counts over a launch, and on.
struct BlockTotals {
  std::uint64_t digest = 0, spikes = 0, events = 0, visits = 0;
  std::uint64_t cycles[3] = {};  ///< of thread 0: exchange and delivery, update, overflow of records
  std::uint64_t unused = 0;
  /// step << 32 | global id of the first neuron that was not finite; all ones: none
  std::uint64_t not_finite = ~std::uint64_t{0};
  std::uint32_t logged = 0;  ///< spikes in the log of the last launch
  std::uint32_t failed = 0;  ///< a record never came
};

/// What a launch gets: pointers into device memory.
struct Network {
  Layout layout;
  std::uint32_t key_low = 0, key_high = 0;  ///< of all draws
  Equation equation = Equation::none;  ///< that of all neurons; none: they differ
  Rows kind = Rows::packed;
  const std::uint32_t* rows = nullptr;  ///< packed and wide
  // Drawn rows: how many synapses sources have, the ring of all blocks, and who has arrived at the meeting of a step.
  const std::uint16_t* counts = nullptr;    ///< [source][entry of its population]
  std::uint32_t entries_per_block = 0;      ///< the most that a block draws of a row
  const std::int32_t* step_tables = nullptr;  ///< null: entries have thresholds
  std::uint32_t slot_bits = 0;              ///< by which values of step tables are shifted
  // Beside drawn rows, those of rules that are not drawn: [source] where its synapses begin, and behind the last; a synapse
  // is its place, of all blocks, and its weight. Null: none. As below, only kernels for any equation look at it.
  const std::uint64_t* written_begin = nullptr;
  const std::uint32_t* written = nullptr;
  std::int32_t* ring = nullptr;
  std::uint32_t* arrived = nullptr;
  /// [copy][step & 1][block]. Blocks read different copies, so that fewer of them ask for the same line.
  SpikeRecord* records = nullptr;
  std::uint32_t* overflow = nullptr;        ///< [step & 1][block][neuron]
  std::uint32_t* images = nullptr;          ///< [block][layout.words]
  BlockTotals* totals = nullptr;            ///< [block]
  std::uint32_t* spike_counts = nullptr;    ///< [global id]
  LoggedSpike* log = nullptr;               ///< [block][log_capacity]
  std::uint32_t log_capacity = 0;
  // What only networks with sources of spikes or recorders of state have; only kernels for any equation look at it.
  std::int64_t first_step = 0;                   ///< of the launch
  const std::uint32_t* source_begin = nullptr;   ///< [step of the launch], and behind the last: where its rows begin; null: none
  const std::uint32_t* source_rows = nullptr;    ///< of the sources whose spikes arrive in a step
  std::uint32_t recorders = 0;
  const Recorder* recorder = nullptr;
  float* samples = nullptr;
};

}  // namespace tessera::gpu
