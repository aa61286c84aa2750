// Spikes and traces as npy files, one or two per population or recorder.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "files/npy.hpp"
#include "results/sinks.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

// spikes_<population>.npy: rows of (time in ms, index inside the population).
class NpySpikeSink : public SpikeSink {
 public:
  NpySpikeSink(const std::filesystem::path& folder, const std::vector<std::string>& populations) {
    for (const std::string& name : populations) {
      names_.push_back("spikes_" + encoded_name(name) + ".npy");
      files_.emplace_back(folder / names_.back(), 2);
    }
  }

  void append(std::size_t population, std::span<const double> times_ms,
              std::span<const std::uint64_t> ids) override {
    rows_.clear();
    for (std::size_t i = 0; i < times_ms.size(); ++i) {
      rows_.push_back(times_ms[i]);
      rows_.push_back(static_cast<double>(ids[i]));  // exact: ids are below 2^32
    }
    files_[population].append(rows_);
  }

  std::vector<std::string> finish() override {
    for (NpyStream& file : files_) file.commit();
    return names_;
  }

 private:
  std::vector<std::string> names_;
  std::vector<NpyStream> files_;
  std::vector<double> rows_;
};

// traces_<name>.npy (time x neuron) and traces_<name>_times.npy.
class NpyTraceSink : public TraceSink {
 public:
  NpyTraceSink(const std::filesystem::path& folder, const std::vector<TraceColumn>& columns) {
    const std::vector<std::string> names = trace_names(columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (const char* ending : {".npy", "_times.npy"}) {
        names_.push_back("traces_" + names[i] + ending);
      }
      values_.emplace_back(folder / names_[2 * i], std::max<std::size_t>(columns[i].neurons, 1));
      times_.emplace_back(folder / names_[2 * i + 1], 0);
    }
  }

  void append(std::size_t recorder, std::span<const double> times_ms,
              std::span<const double> values) override {
    times_[recorder].append(times_ms);
    values_[recorder].append(values);
  }

  std::vector<std::string> finish() override {
    for (std::size_t i = 0; i < times_.size(); ++i) {
      values_[i].commit();
      times_[i].commit();
    }
    return names_;
  }

 private:
  std::vector<std::string> names_;
  std::vector<NpyStream> values_, times_;
};

}  // namespace

std::vector<std::string> trace_names(const std::vector<TraceColumn>& columns) {
  std::vector<std::string> names;
  std::map<std::string, int> used;
  for (const TraceColumn& column : columns) {
    // '.' keeps the two parts apart; a '.' inside a population's name makes no two names equal,
    // because equal names are numbered.
    const std::string name = encoded_name(column.population) + "." + encoded_name(column.variable);
    const int before = used[name]++;
    names.push_back(before == 0 ? name : name + "~" + std::to_string(before + 1));
  }
  return names;
}

std::vector<std::string> trace_files(const std::vector<TraceColumn>& columns) {
  std::vector<std::string> names;
  std::map<std::pair<std::string, std::string>, int> used;
  for (const TraceColumn& column : columns) {
    const int before = used[{column.population, column.variable}]++;
    const std::string number = before == 0 ? "" : "~" + std::to_string(before + 1);
    names.push_back("traces_" + encoded_name(column.variable) + number + ".h5");
  }
  return names;
}

std::unique_ptr<SpikeSink> make_npy_spike_sink(const std::filesystem::path& folder,
                                               const std::vector<std::string>& populations) {
  return std::make_unique<NpySpikeSink>(folder, populations);
}

std::unique_ptr<TraceSink> make_npy_trace_sink(const std::filesystem::path& folder,
                                               const std::vector<TraceColumn>& columns) {
  return std::make_unique<NpyTraceSink>(folder, columns);
}

RawSpikes read_spikes_npy(const std::filesystem::path& file) {
  const NpyArray array = read_npy(file);
  if (array.shape.size() != 2 || array.columns() != 2) {
    throw InputError("cannot read " + file.string() + ": expected two columns, time and neuron.");
  }
  RawSpikes spikes;
  spikes.times_ms.resize(array.rows());
  spikes.ids.resize(array.rows());
  for (std::size_t i = 0; i < array.rows(); ++i) {
    const double id = array.values[2 * i + 1];
    if (!(id >= 0.0 && id < 4294967296.0) || id != std::floor(id)) {
      throw InputError("cannot read " + file.string() + ": row " + std::to_string(i) +
                       " holds no valid neuron.");
    }
    spikes.times_ms[i] = array.values[2 * i];
    spikes.ids[i] = static_cast<std::uint64_t>(id);
  }
  return spikes;
}

Trace read_trace_npy(const std::filesystem::path& folder, const TraceColumn& column,
                     const std::string& name) {
  NpyArray values = read_npy(folder / ("traces_" + name + ".npy"));
  NpyArray times = read_npy(folder / ("traces_" + name + "_times.npy"));
  if (times.shape.size() != 1 || times.rows() != values.rows()) {
    throw InputError("cannot read " + (folder / ("traces_" + name + ".npy")).string() +
                     ": it has another number of rows than its file of times.");
  }
  return {column.population, column.variable, values.columns(), std::move(times.values),
          std::move(values.values)};
}

}  // namespace tessera::io
