// Everything of a result that touches the HDF5 library: SONATA spike files and SONATA reports.
// https://github.com/AllenInstitute/sonata/blob/master/docs/SONATA_DEVELOPER_GUIDE.md
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "files/hdf5_file.hpp"
#include "results/sinks.hpp"

namespace tessera {

bool has_hdf5() noexcept { return true; }

namespace io {
namespace {

using namespace hdf5;

enum class Sorting : std::uint8_t { none, by_id, by_time };

void write_sorting(const OutputFile& file, hid_t group, Sorting sorting) {
  const Handle type(H5Tenum_create(H5T_STD_U8LE), H5Tclose);
  for (const auto& [name, value] : {std::pair("none", Sorting::none),
                                    std::pair("by_id", Sorting::by_id),
                                    std::pair("by_time", Sorting::by_time)}) {
    file.require(H5Tenum_insert(type.id(), name, &value) >= 0);
  }
  file.attribute(group, "sorting", type.id(), type.id(), 0, &sorting);
}

class Hdf5SpikeSink : public SpikeSink {
 public:
  Hdf5SpikeSink(const std::filesystem::path& folder, const std::vector<std::string>& populations)
      : file_(folder / "spikes.h5") {
    mark_as_sonata(file_);
    const Handle root = file_.group(file_.id(), "spikes");
    for (const std::string& name : populations) {
      Trains trains;
      const Handle group = file_.group(root.id(), encoded_name(name));
      write_sorting(file_, group.id(), Sorting::by_time);
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

// edges.h5: an edge population per projection, all edges of one group with two properties.
class Hdf5EdgeSink final : public EdgeSink {
 public:
  Hdf5EdgeSink(const std::filesystem::path& folder, const std::vector<EdgePopulation>& populations)
      : file_(folder / "edges.h5") {
    mark_as_sonata(file_);
    const Handle root = file_.group(file_.id(), "edges");
    for (const EdgePopulation& population : populations) {
      Edges edges;
      edges.type_id = population.type;
      const Handle group = file_.group(root.id(), encoded_name(population.name));
      edges.source = file_.data_set(group.id(), "source_node_id", H5T_STD_U64LE, 0);
      file_.text_attribute(edges.source.id(), "node_population", population.source);
      edges.target = file_.data_set(group.id(), "target_node_id", H5T_STD_U64LE, 0);
      file_.text_attribute(edges.target.id(), "node_population", population.target);
      edges.type = file_.data_set(group.id(), "edge_type_id", H5T_STD_U64LE, 0);
      edges.group = file_.data_set(group.id(), "edge_group_id", H5T_STD_U64LE, 0);
      edges.index = file_.data_set(group.id(), "edge_group_index", H5T_STD_U64LE, 0);
      const Handle properties = file_.group(group.id(), "0");
      edges.weight = file_.data_set(properties.id(), "syn_weight", H5T_IEEE_F64LE, 0);
      file_.text_attribute(edges.weight.id(), "units", population.weight_unit);
      edges.delay = file_.data_set(properties.id(), "delay", H5T_IEEE_F64LE, 0);
      file_.text_attribute(edges.delay.id(), "units", "ms");
      populations_.push_back(std::move(edges));
    }
    file_.flush();
  }

  ~Hdf5EdgeSink() override {
    const QuietErrors quiet;  // closing after a failed write fails again
    populations_.clear();
    file_.abandon();
  }

  void append(std::size_t population, std::span<const ConnectivityRule::Synapse> synapses) override {
    const QuietErrors quiet;
    Edges& edges = populations_[population];
    const auto write = [&](const Handle& set, hid_t type, const auto& value_of) {
      using T = decltype(value_of(synapses[0], hsize_t{0}));
      std::vector<T> values;
      for (std::size_t i = 0; i < synapses.size(); ++i) values.push_back(value_of(synapses[i], edges.count + i));
      file_.append(set.id(), type, edges.count, synapses.size(), 0, values.data());
    };
    using S = const ConnectivityRule::Synapse&;
    write(edges.source, H5T_NATIVE_UINT64, [](S s, hsize_t) { return std::uint64_t{s.source}; });
    write(edges.target, H5T_NATIVE_UINT64, [](S s, hsize_t) { return std::uint64_t{s.target}; });
    write(edges.type, H5T_NATIVE_UINT64, [&edges](S, hsize_t) { return edges.type_id; });
    write(edges.group, H5T_NATIVE_UINT64, [](S, hsize_t) { return std::uint64_t{0}; });
    write(edges.index, H5T_NATIVE_UINT64, [](S, hsize_t i) { return std::uint64_t{i}; });
    write(edges.weight, H5T_NATIVE_DOUBLE, [](S s, hsize_t) { return s.weight; });
    write(edges.delay, H5T_NATIVE_DOUBLE, [](S s, hsize_t) { return s.delay_ms; });
    edges.count += synapses.size();
  }

  std::vector<std::string> finish() override {
    const QuietErrors quiet;
    for (Edges& edges : populations_) {
      for (Handle* set : {&edges.source, &edges.target, &edges.type, &edges.group, &edges.index, &edges.weight, &edges.delay}) {
        file_.require(set->close());
      }
    }
    file_.commit();
    return {file_.name()};
  }

 private:
  struct Edges {
    Handle source, target, type, group, index, weight, delay;
    std::uint64_t type_id = 0;
    hsize_t count = 0;
  };
  OutputFile file_;
  std::vector<Edges> populations_;
};

// /report/<population> of one recorder. The file must outlive it.
class Report {
 public:
  Report(OutputFile& file, hid_t root, const TraceColumn& column)
      : file_(file),
        columns_(std::max<std::size_t>(column.neurons, 1)),
        interval_ms_(column.interval_ms),
        group_(file.group(root, encoded_name(column.population))) {
    data_ = file_.data_set(group_.id(), "data", H5T_IEEE_F32LE, columns_);  // as SONATA wants it
    file_.text_attribute(data_.id(), "units", column.unit);
    file_.text_attribute(data_.id(), "variable", column.variable);
    file_.text_attribute(group_.id(), "population", column.population);
    mapping_ = file_.group(group_.id(), "mapping");
    // A neuron is one element, number 0 of its node; nodes are the first of the population.
    std::vector<std::uint64_t> nodes(column.neurons + 1);
    std::iota(nodes.begin(), nodes.end(), std::uint64_t{0});
    const std::vector<std::uint32_t> elements(column.neurons, 0);
    const Handle ids = file_.array(mapping_.id(), "node_ids", H5T_STD_U64LE, H5T_NATIVE_UINT64,
                                   column.neurons, nodes.data());
    const std::uint8_t sorted = 1;
    file_.attribute(ids.id(), "sorted", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, &sorted);
    (void)file_.array(mapping_.id(), "index_pointers", H5T_STD_U64LE, H5T_NATIVE_UINT64,
                      nodes.size(), nodes.data());
    (void)file_.array(mapping_.id(), "element_ids", H5T_STD_U32LE, H5T_NATIVE_UINT32,
                      elements.size(), elements.data());
  }

  void append(std::span<const double> times_ms, std::span<const double> values) {
    for (std::size_t i = 0; i < times_ms.size(); ++i) {
      if (rows_ == 0 && i == 0) start_ms_ = times_ms[0];
      const double expected = start_ms_ + static_cast<double>(rows_ + i) * interval_ms_;
      if (std::abs(times_ms[i] - expected) > 0.25 * interval_ms_) {
        throw std::logic_error("samples of a report must be an interval apart");
      }
    }
    file_.append(data_.id(), H5T_NATIVE_DOUBLE, rows_, times_ms.size(), columns_, values.data());
    rows_ += times_ms.size();
  }

  // Samples are at start, start + step, ... and before stop.
  void finish() {
    const double time[3] = {start_ms_, start_ms_ + static_cast<double>(rows_) * interval_ms_,
                            interval_ms_};
    Handle times =
        file_.array(mapping_.id(), "time", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 3, time);
    file_.text_attribute(times.id(), "units", "ms");
    file_.require(times.close() && data_.close() && mapping_.close() && group_.close());
  }

 private:
  OutputFile& file_;
  hsize_t columns_ = 1;
  double interval_ms_ = 0.1;
  Handle group_, data_, mapping_;
  hsize_t rows_ = 0;
  double start_ms_ = 0.0;
};

class Hdf5TraceSink : public TraceSink {
 public:
  Hdf5TraceSink(const std::filesystem::path& folder, const std::vector<TraceColumn>& columns) {
    const std::vector<std::string> names = trace_files(columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      ReportFile& file = file_of(folder / names[i]);
      reports_.emplace_back(file.file, file.root.id(), columns[i]);
    }
    for (const auto& file : files_) file->file.flush();
  }

  ~Hdf5TraceSink() override {
    const QuietErrors quiet;
    reports_.clear();
    for (const auto& file : files_) {
      file->root.close();
      file->file.abandon();
    }
  }

  void append(std::size_t recorder, std::span<const double> times_ms,
              std::span<const double> values) override {
    const QuietErrors quiet;
    reports_[recorder].append(times_ms, values);
  }

  std::vector<std::string> finish() override {
    const QuietErrors quiet;
    for (Report& report : reports_) report.finish();
    std::vector<std::string> names;
    for (const auto& file : files_) {
      file->file.require(file->root.close());
      file->file.commit();
      names.push_back(file->file.name());
    }
    return names;
  }

 private:
  struct ReportFile {
    explicit ReportFile(const std::filesystem::path& path) : file(path) {
      mark_as_sonata(file);
      root = file.group(file.id(), "report");
    }
    OutputFile file;
    Handle root;
  };

  ReportFile& file_of(const std::filesystem::path& path) {
    for (const auto& file : files_) {
      if (file->file.name() == path.filename().string()) return *file;
    }
    return *files_.emplace_back(std::make_unique<ReportFile>(path));
  }

  std::vector<std::unique_ptr<ReportFile>> files_;
  std::vector<Report> reports_;
};

}  // namespace

std::unique_ptr<SpikeSink> make_spike_sink(const std::filesystem::path& folder,
                                           const std::vector<std::string>& populations) {
  const QuietErrors quiet;
  return std::make_unique<Hdf5SpikeSink>(folder, populations);
}

std::unique_ptr<EdgeSink> make_edge_sink(const std::filesystem::path& folder, const std::vector<EdgePopulation>& populations) {
  const QuietErrors quiet;
  return std::make_unique<Hdf5EdgeSink>(folder, populations);
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

Trace read_trace_hdf5(const std::filesystem::path& path, const TraceColumn& column,
                      std::uint64_t limit) {
  const QuietErrors quiet;
  const InputFile file(path);
  const Handle root = file.group(file.id(), "report");
  const std::string where = "report/" + column.population + "/";
  const Handle group = file.group(root.id(), encoded_name(column.population));
  const Handle data = file.data_set(group.id(), "data");
  const auto shape = file.checked_shape(data.id(), where + "data", 2, H5T_FLOAT, limit);
  const Handle mapping = file.group(group.id(), "mapping");
  const Handle times = file.data_set(mapping.id(), "time");
  if (file.checked_shape(times.id(), where + "mapping/time", 1, H5T_FLOAT, limit)[0] != 3) {
    file.fail("'" + where + "mapping/time' is not start, stop and step.");
  }
  const auto time = file.read<double>(times.id(), where + "mapping/time", H5T_NATIVE_DOUBLE, 3);
  const double rows = static_cast<double>(shape[0]);
  const bool fits = std::abs(time[0] + rows * time[2] - time[1]) <= 0.5 * time[2];
  if (!std::isfinite(time[0]) || !(time[2] > 0.0) || !fits) {
    file.fail("'" + where + "mapping/time' does not fit the number of samples.");
  }
  Trace trace{column.population, column.variable, static_cast<std::size_t>(shape[1]), {}, {}};
  for (hsize_t i = 0; i < shape[0]; ++i) {
    trace.times_ms.push_back(time[0] + static_cast<double>(i) * time[2]);
  }
  trace.values =
      file.read<double>(data.id(), where + "data", H5T_NATIVE_DOUBLE, shape[0] * shape[1]);
  return trace;
}

}  // namespace io
}  // namespace tessera
