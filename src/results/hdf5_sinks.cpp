// Everything that touches the HDF5 library: SONATA spike files and trace files.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "files/hdf5_file.hpp"
#include "results/sinks.hpp"

namespace tessera {

bool has_hdf5() noexcept { return true; }

namespace io {
namespace {

using namespace hdf5;

class Hdf5SpikeSink : public SpikeSink {
 public:
  Hdf5SpikeSink(const std::filesystem::path& folder, const std::vector<std::string>& populations)
      : file_(folder / "spikes.h5") {
    const Handle root = file_.group(file_.id(), "spikes");
    for (const std::string& name : populations) {
      Trains trains;
      const Handle group = file_.group(root.id(), encoded_name(name));
      file_.text_attribute(group.id(), "sorting", "by_time");
      trains.times = file_.data_set(group.id(), "timestamps", H5T_IEEE_F64LE, 0);
      file_.text_attribute(trains.times.id(), "units", "ms");
      trains.ids = file_.data_set(group.id(), "node_ids", H5T_STD_U64LE, 0);
      populations_.push_back(std::move(trains));
    }
    file_.flush();
  }

  ~Hdf5SpikeSink() override {
    const QuietErrors quiet;  // closing after a failed write fails again
    populations_.clear();
    file_.abandon();
  }

  void append(std::size_t population, std::span<const double> times_ms,
              std::span<const std::uint64_t> ids) override {
    const QuietErrors quiet;
    Trains& trains = populations_[population];
    const hsize_t count = times_ms.size();
    file_.append(trains.times.id(), H5T_NATIVE_DOUBLE, trains.count, count, 0, times_ms.data());
    file_.append(trains.ids.id(), H5T_NATIVE_UINT64, trains.count, count, 0, ids.data());
    trains.count += count;
  }

  std::vector<std::string> finish() override {
    const QuietErrors quiet;
    for (Trains& trains : populations_) {
      file_.require(trains.times.close() && trains.ids.close());
    }
    file_.commit();
    return {file_.name()};
  }

 private:
  struct Trains {
    Handle times, ids;
    hsize_t count = 0;
  };
  OutputFile file_;
  std::vector<Trains> populations_;
};

class Hdf5TraceSink : public TraceSink {
 public:
  Hdf5TraceSink(const std::filesystem::path& folder, const std::vector<TraceColumn>& columns)
      : file_(folder / "traces.h5") {
    const Handle root = file_.group(file_.id(), "traces");
    const std::vector<std::string> names = trace_names(columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      Samples samples;
      const Handle group = file_.group(root.id(), names[i]);
      file_.text_attribute(group.id(), "population", columns[i].population);
      file_.text_attribute(group.id(), "variable", columns[i].variable);
      samples.times = file_.data_set(group.id(), "times", H5T_IEEE_F64LE, 0);
      file_.text_attribute(samples.times.id(), "units", "ms");
      samples.columns = std::max<std::size_t>(columns[i].neurons, 1);
      samples.values = file_.data_set(group.id(), "values", H5T_IEEE_F64LE, samples.columns);
      recorders_.push_back(std::move(samples));
    }
    file_.flush();
  }

  ~Hdf5TraceSink() override {
    const QuietErrors quiet;
    recorders_.clear();
    file_.abandon();
  }

  void append(std::size_t recorder, std::span<const double> times_ms,
              std::span<const double> values) override {
    const QuietErrors quiet;
    Samples& samples = recorders_[recorder];
    const hsize_t rows = times_ms.size();
    file_.append(samples.times.id(), H5T_NATIVE_DOUBLE, samples.rows, rows, 0, times_ms.data());
    file_.append(samples.values.id(), H5T_NATIVE_DOUBLE, samples.rows, rows, samples.columns,
                 values.data());
    samples.rows += rows;
  }

  std::vector<std::string> finish() override {
    const QuietErrors quiet;
    for (Samples& samples : recorders_) {
      file_.require(samples.times.close() && samples.values.close());
    }
    file_.commit();
    return {file_.name()};
  }

 private:
  struct Samples {
    Handle times, values;
    hsize_t rows = 0;
    hsize_t columns = 1;
  };
  OutputFile file_;
  std::vector<Samples> recorders_;
};

}  // namespace

std::unique_ptr<SpikeSink> make_spike_sink(const std::filesystem::path& folder,
                                           const std::vector<std::string>& populations) {
  const QuietErrors quiet;
  return std::make_unique<Hdf5SpikeSink>(folder, populations);
}

std::unique_ptr<TraceSink> make_trace_sink(const std::filesystem::path& folder,
                                           const std::vector<TraceColumn>& columns) {
  const QuietErrors quiet;
  return std::make_unique<Hdf5TraceSink>(folder, columns);
}

std::vector<RawSpikes> read_spikes_hdf5(const std::filesystem::path& path,
                                        const std::vector<std::string>& populations,
                                        std::uint64_t limit) {
  const QuietErrors quiet;
  const InputFile file(path);
  const Handle root = file.group(file.id(), "spikes");
  std::vector<RawSpikes> all;
  for (const std::string& population : populations) {
    const Handle group = file.group(root.id(), encoded_name(population));
    const Handle times = file.data_set(group.id(), "timestamps");
    const Handle ids = file.data_set(group.id(), "node_ids");
    const std::string where = "spikes/" + population + "/";
    const auto count = file.checked_shape(times.id(), where + "timestamps", 1, H5T_FLOAT, limit)[0];
    if (file.checked_shape(ids.id(), where + "node_ids", 1, H5T_INTEGER, limit)[0] != count) {
      file.fail("'" + where + "' has another number of timestamps than node_ids.");
    }
    RawSpikes spikes;
    spikes.times_ms = file.read<double>(times.id(), where + "timestamps", H5T_NATIVE_DOUBLE, count);
    spikes.ids = file.read<std::uint64_t>(ids.id(), where + "node_ids", H5T_NATIVE_UINT64, count);
    all.push_back(std::move(spikes));
  }
  return all;
}

std::vector<Trace> read_traces_hdf5(const std::filesystem::path& path,
                                    const std::vector<TraceColumn>& columns, std::uint64_t limit) {
  const QuietErrors quiet;
  const InputFile file(path);
  const Handle root = file.group(file.id(), "traces");
  const std::vector<std::string> names = trace_names(columns);
  std::vector<Trace> traces;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Handle group = file.group(root.id(), names[i]);
    const Handle times = file.data_set(group.id(), "times");
    const Handle values = file.data_set(group.id(), "values");
    const std::string where = "traces/" + names[i] + "/";
    const auto rows = file.checked_shape(times.id(), where + "times", 1, H5T_FLOAT, limit)[0];
    const auto shape = file.checked_shape(values.id(), where + "values", 2, H5T_FLOAT, limit);
    if (shape[0] != rows) file.fail("'" + where + "' has another number of times than of values.");
    Trace trace{
        columns[i].population, columns[i].variable, static_cast<std::size_t>(shape[1]), {}, {}};
    trace.times_ms = file.read<double>(times.id(), where + "times", H5T_NATIVE_DOUBLE, rows);
    trace.values =
        file.read<double>(values.id(), where + "values", H5T_NATIVE_DOUBLE, rows * shape[1]);
    traces.push_back(std::move(trace));
  }
  return traces;
}

}  // namespace io
}  // namespace tessera
