// Recorded weights as npy files, all float64, weights_<projection>~<what>.npy:
//   synapses     rows of (source, target, delay in ms)          where synapses stay
//   values       time x synapse                                 the same
//   snapshots    rows of (time index, source, target, weight)   where synapses come and go
//   changes      rows of (formed, eliminated), per time         the same
//   edges, histogram   edges of bins; time x (below, bins, above)
//   times        ms
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <map>

#include "files/npy.hpp"
#include "results/weight_sinks.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

using What = WeightRecording::What;

class NpyRecording {
 public:
  NpyRecording(const std::filesystem::path& folder, std::string name, const WeightRecordInfo& info)
      : folder_(folder), name_(std::move(name)), info_(info) {
    (void)stream("times", 0);
    if (info.rewired && info.recording.what != What::histogram) {
      (void)stream("snapshots", 4);
      (void)stream("changes", 2);
    }
  }

  void synapses(std::span<const ConnectivityRule::Synapse> synapses) {
    std::vector<double> rows;
    for (const auto& s : synapses) rows.insert(rows.end(), {static_cast<double>(s.source), static_cast<double>(s.target), s.delay_ms});
    stream("synapses", 3).append(rows);
    (void)stream("values", std::max<std::size_t>(synapses.size(), 1));
  }
  void row(double time_ms, std::span<const float> weights) {
    stream("times", 0).append({&time_ms, 1});
    stream("values", 0).append(std::vector<double>(weights.begin(), weights.end()));
  }
  void snapshot(const WeightSink::Snapshot& s) {
    std::vector<double> rows;
    for (std::size_t i = 0; i < s.weights.size(); ++i) {
      rows.insert(rows.end(), {static_cast<double>(times_), static_cast<double>(s.sources[i]), static_cast<double>(s.targets[i]), s.weights[i]});
    }
    ++times_;
    stream("times", 0).append({&s.time_ms, 1});
    stream("snapshots", 4).append(rows);
    const double changes[] = {static_cast<double>(s.formed), static_cast<double>(s.eliminated)};
    stream("changes", 2).append(changes);
  }
  void edges(std::span<const double> edges) {
    stream("edges", 0).append(edges);
    (void)stream("histogram", edges.size() + 1);
  }
  void histogram(double time_ms, std::span<const std::uint64_t> counts) {
    stream("times", 0).append({&time_ms, 1});
    stream("histogram", 0).append(std::vector<double>(counts.begin(), counts.end()));
  }
  void finish(std::vector<std::string>& names) {
    if (info_.recording.what == What::histogram) {
      if (streams_.count("edges") == 0) edges(std::vector<double>{0.0, 1.0});  // nothing was recorded
    } else if (!info_.rewired && streams_.count("synapses") == 0) {
      synapses({});
    }
    for (auto& [what, file] : streams_) {
      file.commit();
      names.push_back(file_name(what));
    }
  }

 private:
  [[nodiscard]] std::string file_name(const std::string& what) const { return "weights_" + name_ + "~" + what + ".npy"; }
  NpyStream& stream(const std::string& what, std::size_t columns) {
    auto found = streams_.find(what);
    if (found == streams_.end()) found = streams_.emplace(what, NpyStream(folder_ / file_name(what), columns)).first;
    return found->second;
  }

  std::filesystem::path folder_;
  std::string name_;
  WeightRecordInfo info_;
  std::map<std::string, NpyStream> streams_;
  std::size_t times_ = 0;
};

class NpyWeightSink final : public WeightSink {
 public:
  NpyWeightSink(const std::filesystem::path& folder, const std::vector<WeightRecordInfo>& recordings) {
    const std::vector<std::string> names = weight_names(recordings);
    for (std::size_t i = 0; i < recordings.size(); ++i) recordings_.emplace_back(folder, names[i], recordings[i]);
  }
  void begin_synapses(std::size_t r, std::span<const ConnectivityRule::Synapse> synapses) override { recordings_[r].synapses(synapses); }
  void append_row(std::size_t r, double time_ms, std::span<const float> weights) override { recordings_[r].row(time_ms, weights); }
  void append_snapshot(std::size_t r, const Snapshot& snapshot) override { recordings_[r].snapshot(snapshot); }
  void begin_histogram(std::size_t r, std::span<const double> edges) override { recordings_[r].edges(edges); }
  void append_histogram(std::size_t r, double time_ms, std::span<const std::uint64_t> counts) override {
    recordings_[r].histogram(time_ms, counts);
  }
  std::vector<std::string> finish() override {
    std::vector<std::string> names;
    for (NpyRecording& recording : recordings_) recording.finish(names);
    return names;
  }

 private:
  std::vector<NpyRecording> recordings_;
};

// A whole number that a float64 column holds.
std::uint64_t whole(double value, std::uint64_t most, const std::filesystem::path& file) {
  if (!(value >= 0.0 && value <= static_cast<double>(most)) || value != std::floor(value)) {
    throw InputError("cannot read " + file.string() + ": " + std::to_string(value) + " is no number that can be here.");
  }
  return static_cast<std::uint64_t>(value);
}

constexpr std::uint64_t kMostNeurons = std::numeric_limits<std::uint32_t>::max();

void read_snapshots(const std::filesystem::path& file, WeightRecord& record) {
  const NpyArray rows = read_npy(file);
  if (rows.columns() != 4) throw InputError("cannot read " + file.string() + ": expected four columns.");
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const double* row = rows.values.data() + 4 * i;
    const std::uint64_t time = whole(row[0], record.times_ms.empty() ? 0 : record.times_ms.size() - 1, file);
    while (record.begin.size() <= time) record.begin.push_back(i);
    record.sources.push_back(static_cast<std::uint32_t>(whole(row[1], kMostNeurons, file)));
    record.targets.push_back(static_cast<std::uint32_t>(whole(row[2], kMostNeurons, file)));
    record.weights.push_back(static_cast<float>(row[3]));
  }
  while (record.begin.size() <= record.times_ms.size()) record.begin.push_back(rows.rows());
}

void read_changes(const std::filesystem::path& file, WeightRecord& record) {
  const NpyArray rows = read_npy(file);
  if (rows.columns() != 2) throw InputError("cannot read " + file.string() + ": expected two columns.");
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    record.formed.push_back(whole(rows.values[2 * i], kExact, file));
    record.eliminated.push_back(whole(rows.values[2 * i + 1], kExact, file));
  }
}

void read_fixed(const std::filesystem::path& synapses, const std::filesystem::path& values, WeightRecord& record) {
  const NpyArray rows = read_npy(synapses);
  if (rows.columns() != 3) throw InputError("cannot read " + synapses.string() + ": expected three columns.");
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    record.sources.push_back(static_cast<std::uint32_t>(whole(rows.values[3 * i], kMostNeurons, synapses)));
    record.targets.push_back(static_cast<std::uint32_t>(whole(rows.values[3 * i + 1], kMostNeurons, synapses)));
    record.delays_ms.push_back(rows.values[3 * i + 2]);
  }
  const NpyArray weights = read_npy(values);
  record.weights.assign(weights.values.begin(), weights.values.end());
}

void read_histogram(const std::filesystem::path& edges, const std::filesystem::path& counts, WeightRecord& record) {
  record.edges = read_npy(edges).values;
  const NpyArray rows = read_npy(counts);
  if (rows.columns() != record.edges.size() + 1 || rows.columns() < 3) {
    throw InputError("cannot read " + counts.string() + ": it has another number of bins than there are edges.");
  }
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  for (std::size_t t = 0; t < rows.rows(); ++t) {
    const double* row = rows.values.data() + t * rows.columns();
    record.below.push_back(whole(row[0], kExact, counts));
    for (std::size_t i = 1; i + 1 < rows.columns(); ++i) record.counts.push_back(whole(row[i], kExact, counts));
    record.above.push_back(whole(row[rows.columns() - 1], kExact, counts));
  }
}

}  // namespace

std::vector<std::string> weight_names(const std::vector<WeightRecordInfo>& recordings) {
  std::vector<std::string> names;
  std::map<std::string, int> used;
  for (const WeightRecordInfo& info : recordings) {
    const std::string name = encoded_name(info.recording.projection);
    const int before = used[name]++;
    names.push_back(before == 0 ? name : name + "~" + std::to_string(before + 1));  // an encoded name has no '~'
  }
  return names;
}

std::unique_ptr<WeightSink> make_npy_weight_sink(const std::filesystem::path& folder, const std::vector<WeightRecordInfo>& recordings) {
  return std::make_unique<NpyWeightSink>(folder, recordings);
}

std::vector<WeightRecord> read_weights_npy(const std::function<std::filesystem::path(const std::string& name)>& file_of,
                                           const std::vector<WeightRecordInfo>& recordings) {
  const std::vector<std::string> names = weight_names(recordings);
  std::vector<WeightRecord> records;
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    WeightRecord record;
    record.info = recordings[r];
    const auto file = [&](const char* what) { return file_of("weights_" + names[r] + "~" + what + ".npy"); };
    record.times_ms = read_npy(file("times")).values;
    if (record.info.recording.what == What::histogram) {
      read_histogram(file("edges"), file("histogram"), record);
    } else if (record.info.rewired) {
      read_snapshots(file("snapshots"), record);
      read_changes(file("changes"), record);
    } else {
      read_fixed(file("synapses"), file("values"), record);
    }
    require_consistent(record, file("times").string());
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace tessera::io
