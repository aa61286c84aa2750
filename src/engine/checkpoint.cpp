// Checkpoints: everything needed to go on, chunk by chunk, so that threads, tiles and connectivity may
// differ when the run is resumed.
//
// Format, little endian: magic "TSCKPT05"; u64 length of what follows up to the checksum; header; per
// population u64 spikes; per neuron u32 spikes of the open activity window; per step of history u32 n and
// n ids; per chunk u64 bytes and the bytes; u64 checksum (FNV-1a of everything before it).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <type_traits>

#include "connectivity/in_flight.hpp"
#include "engine/simulation_impl.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

constexpr char kMagic[8] = {'T', 'S', 'C', 'K', 'P', 'T', '0', '5'};

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

std::uint64_t fnv1a(std::span<const std::uint8_t> bytes, std::uint64_t hash = 0xcbf29ce484222325ull) {
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ull;
  return hash;
}

class Writer {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(&value, sizeof value);
  }
  void put(const void* data, std::size_t n) {
    const auto* begin = static_cast<const std::uint8_t*>(data);
    bytes.insert(bytes.end(), begin, begin + n);
  }
  std::vector<std::uint8_t> bytes;
};

/// Reads never past the end; every failure names the file and the place.
class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}
  template <class T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::span<const std::uint8_t> take(std::uint64_t n) {
    if (n > bytes_.size() - at_) fail("it ends in the middle of a value");
    const auto part = bytes_.subspan(at_, n);
    at_ += n;
    return part;
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw InputError("Checkpoint '" + file_ + "' cannot be used: " + why + " (at byte " + std::to_string(at_) + ").");
  }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::string file_;
};

/// Everything that decides what state means: sizes, models, parameters, rules, seed, dt.
std::uint64_t fingerprint(const Network& network, std::uint64_t seed) {
  Writer w;
  const auto text = [&w](const std::string& s) {
    w.put(s.size());
    w.put(s.data(), s.size());
  };
  const auto distribution = [&w](const Distribution& d) {
    for (const double value : {static_cast<double>(d.kind), d.a, d.b, d.low, d.high, static_cast<double>(d.mirrored)}) w.put(value);
  };
  w.put(seed);
  w.put(network.dt_ms);
  for (const Population& p : network.populations) {
    text(p.name);
    text(p.model);
    w.put(p.size);
    w.put(static_cast<int>(p.kind));
    for (const auto& [name, value] : p.parameters) {
      text(name);
      w.put(value);
    }
    for (const double value : {p.rate_hz, p.start_ms, p.duration_ms, p.interval_ms}) w.put(value);
    w.put(p.grid_columns);
    if (p.extent_mm[0] > 0.0 || !p.periodic) {  // networks without these keep their old fingerprint
      for (const double value : {p.extent_mm[0], p.extent_mm[1], p.periodic ? 1.0 : 0.0}) w.put(value);
    }
    w.put(p.train.size());
    for (const Population::TrainSpike& spike : p.train) {
      w.put(spike.time_ms);
      w.put(spike.neuron);
    }
  }
  for (const Projection& p : network.projections) {
    text(p.source);
    text(p.target);
    w.put(static_cast<int>(p.rule.kind));
    w.put(p.rule.number);
    w.put(p.rule.probability);
    w.put(p.rule.sigma);
    w.put(static_cast<int>(p.rule.autapses) * 2 + static_cast<int>(p.rule.multapses));
    w.put(p.rule.list.size());
    for (const ConnectivityRule::Synapse& synapse : p.rule.list) {
      w.put(synapse.source);
      w.put(synapse.target);
      w.put(synapse.weight);
      w.put(synapse.delay_ms);
    }
    distribution(p.weight);
    distribution(p.delay_ms);
    if (p.delay_slope != 0.0) w.put(p.delay_slope);
  }
  for (const Stimulus& s : network.stimuli) {
    text(s.target);
    w.put(static_cast<int>(s.kind));
    for (const double value : {s.amplitude_pA, s.start_ms, s.duration_ms, s.rate_hz, s.weight, s.delay_ms}) w.put(value);
    w.put(s.values.size());
    for (const double value : s.values) w.put(value);
  }
  return fnv1a(w.bytes);
}

/// Steps whose spikes may be in flight at `now`; the first is kFirstSpikeStep, once time has begun.
std::int64_t history_length(std::int64_t now, std::uint32_t longest) {
  return now == 0 ? 0 : std::min<std::int64_t>(now - kFirstSpikeStep, longest);
}

void write_whole_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes) {
  const std::filesystem::path temporary = file.parent_path() / ("." + file.filename().string() + ".partial");
  const auto fail = [&](const char* what) {
    const std::string reason = std::strerror(errno);
    ::unlink(temporary.c_str());
    throw RunError("Cannot " + std::string(what) + " checkpoint '" + file.string() + "': " + reason + ".");
  };
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail("create");
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      ::close(fd);
      fail("write");
    }
    done += static_cast<std::size_t>(n);
  }
  const bool flushed = ::fsync(fd) == 0;
  if (::close(fd) != 0 || !flushed) fail("flush");
  if (::rename(temporary.c_str(), file.c_str()) != 0) fail("rename");
}

std::vector<std::uint8_t> read_whole_file(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in || !std::filesystem::is_regular_file(file, ignored)) throw InputError("Checkpoint '" + file.string() + "' cannot be opened.");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::max<std::streamoff>(0, in.tellg())));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) throw InputError("Checkpoint '" + file.string() + "' cannot be read.");
  return bytes;
}

}  // namespace

void Simulation::save_checkpoint(const std::filesystem::path& file) const {
  const Impl& s = *impl_;
  const SimulationReport report = s.report();
  Writer body;
  const std::int64_t history = history_length(s.now, s.loop->history_steps()), oldest = s.now - history;
  body.put(Header{fingerprint(s.network, s.options.seed), s.now, s.window_begin, report.digest, report.counts.spikes,
                  s.options.precision == Precision::exact, static_cast<std::uint32_t>(history)});
  for (const std::uint64_t spikes : s.population_spikes) body.put(spikes);
  for (const std::uint32_t spikes : s.loop->spike_counts()) body.put(spikes);
  for (std::int64_t step = oldest; step < s.now; ++step) {
    const std::vector<std::uint32_t> neurons = s.loop->history(step);
    body.put(static_cast<std::uint32_t>(neurons.size()));
    body.put(neurons.data(), neurons.size() * sizeof(std::uint32_t));
  }
  for (std::uint32_t chunk = 0; chunk < s.wiring->chunks().size(); ++chunk) {
    std::vector<std::uint8_t> bytes;
    for (const auto& tile : s.tiles) {
      const std::vector<std::uint32_t> here = tile->chunks();
      if (std::find(here.begin(), here.end(), chunk) != here.end()) tile->save_chunk(chunk, bytes);
    }
    body.put(static_cast<std::uint64_t>(bytes.size()));
    body.put(bytes.data(), bytes.size());
  }
  Writer whole;
  whole.put(kMagic);
  whole.put(static_cast<std::uint64_t>(body.bytes.size()));
  whole.put(body.bytes.data(), body.bytes.size());
  whole.put(fnv1a(whole.bytes));
  write_whole_file(file, whole.bytes);
}

void Simulation::load_checkpoint(const std::filesystem::path& file) {
  Impl& s = *impl_;
  const std::vector<std::uint8_t> bytes = read_whole_file(file);
  Reader whole(bytes, file.string());
  if (bytes.size() < sizeof kMagic || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    whole.fail("it is not a checkpoint of this version of Tessera");
  }
  (void)whole.take(sizeof kMagic);
  const auto length = whole.get<std::uint64_t>();
  Reader in(whole.take(length), file.string());
  const std::uint64_t expected = fnv1a({bytes.data(), sizeof kMagic + sizeof length + length});
  if (whole.get<std::uint64_t>() != expected || !whole.at_end()) whole.fail("its checksum does not match");

  const auto header = in.get<Header>();
  if (header.network != fingerprint(s.network, s.options.seed)) {
    in.fail("it belongs to another network, seed or dt");
  }
  if ((header.exact != 0) != (s.options.precision == Precision::exact)) {
    in.fail("it was made with another precision");
  }
  if (header.step < 0 || header.step > 0xffffffffll || header.history_steps != history_length(header.step, s.loop->history_steps())) {
    in.fail("its step or history is out of range");
  }
  if (header.window_begin < 0 || header.window_begin > header.step ||
      header.step - header.window_begin >= s.rate_window()) {
    in.fail("its window of activity is out of range");
  }
  // Everything is read and checked before the simulation is touched.
  std::vector<std::uint64_t> population_spikes(s.population_spikes.size());
  for (std::uint64_t& spikes : population_spikes) spikes = in.get<std::uint64_t>();
  std::vector<std::uint32_t> spike_counts(s.loop->spike_counts().size());
  for (std::uint32_t& spikes : spike_counts) spikes = in.get<std::uint32_t>();
  std::vector<std::vector<std::uint32_t>> history(header.history_steps);
  for (auto& neurons : history) {
    const auto n = in.get<std::uint32_t>();
    const auto ids = in.take(std::uint64_t{n} * sizeof(std::uint32_t));
    neurons.resize(n);
    if (n > 0) std::memcpy(neurons.data(), ids.data(), ids.size());
    for (const std::uint32_t id : neurons) {
      if (id >= spike_counts.size()) in.fail("it names neuron " + std::to_string(id) + ", which does not exist");
    }
  }
  std::vector<std::pair<Tile*, std::span<const std::uint8_t>>> parts;
  for (std::uint32_t chunk = 0; chunk < s.wiring->chunks().size(); ++chunk) {
    const auto part = in.take(in.get<std::uint64_t>());
    Tile* owner = nullptr;
    for (const auto& tile : s.tiles) {
      const std::vector<std::uint32_t> here = tile->chunks();
      if (std::find(here.begin(), here.end(), chunk) != here.end()) owner = tile.get();
    }
    if (part.size() != (owner != nullptr ? owner->chunk_bytes(chunk) : 0)) in.fail("a chunk has another size");
    parts.emplace_back(owner, part);
  }
  if (!in.at_end()) in.fail("it goes on after its last value");

  for (std::uint32_t chunk = 0; chunk < parts.size(); ++chunk) {
    if (parts[chunk].first != nullptr) parts[chunk].first->load_chunk(chunk, parts[chunk].second);
  }
  s.now = header.step;
  s.window_begin = header.window_begin;
  // What this simulation did before is no part of the report any more; unsigned sums wrap around.
  s.digest_before_checkpoint = header.digest;
  s.spikes_before_checkpoint = header.spikes;
  for (const StepLoop::Counters& worker : s.loop->worker_counters()) {
    s.digest_before_checkpoint -= worker.digest;
    s.spikes_before_checkpoint -= worker.spikes;
  }
  s.population_spikes = std::move(population_spikes);
  s.loop->spike_counts() = std::move(spike_counts);
  for (std::uint32_t i = 0; i < header.history_steps; ++i) {
    s.loop->restore(header.step - header.history_steps + i, header.step, history[i]);
  }
}

}  // namespace tessera
