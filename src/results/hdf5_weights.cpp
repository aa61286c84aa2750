// Recorded weights as HDF5, weights.h5. Synapses that stay: SONATA edges and a SONATA report whose elements are these edges,
// which tools for SONATA read. Synapses that come and go, and histograms, have groups of their own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "files/hdf5_file.hpp"
#include "results/weight_sinks.hpp"

namespace tessera::io {
namespace {

using namespace hdf5;
using What = WeightRecording::What;
using Synapse = ConnectivityRule::Synapse;

// A data set that grows, and how long it is.
struct Column {
  Handle set;
  hid_t type = -1;
  hsize_t rows = 0, columns = 0;
  void append(const OutputFile& file, hsize_t n, const void* values) {
    file.append(set.id(), type, rows, n, columns, values);
    rows += n;
  }
};

// Whole arrays of SONATA edges, which never grow.
void write_edges(const OutputFile& file, hid_t root, const std::string& name, const WeightRecordInfo& info,
                 std::span<const Synapse> synapses) {
  const Handle group = file.group(root, name);
  std::vector<std::uint64_t> numbers(synapses.size());
  std::vector<double> delays;
  const auto put = [&](const char* column) {
    return file.array(group.id(), column, H5T_STD_U64LE, H5T_NATIVE_UINT64, numbers.size(), numbers.data());
  };
  std::transform(synapses.begin(), synapses.end(), numbers.begin(), [](const Synapse& s) { return s.source; });
  file.text_attribute(put("source_node_id").id(), "node_population", info.source);
  std::transform(synapses.begin(), synapses.end(), numbers.begin(), [](const Synapse& s) { return s.target; });
  file.text_attribute(put("target_node_id").id(), "node_population", info.target);
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
  (void)put("edge_group_index");
  std::fill(numbers.begin(), numbers.end(), 0);
  (void)put("edge_type_id");
  (void)put("edge_group_id");
  const Handle properties = file.group(group.id(), "0");
  for (const Synapse& s : synapses) delays.push_back(s.delay_ms);
  file.text_attribute(file.array(properties.id(), "delay", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, delays.size(), delays.data()).id(),
                      "units", "ms");
}

// The nodes of a report are the targets, ascending; the elements of a node are edges onto it.
void write_mapping(const OutputFile& file, hid_t mapping, std::span<const Synapse> synapses) {
  std::vector<std::uint64_t> nodes, pointers;
  std::vector<std::uint32_t> elements(synapses.size());
  std::iota(elements.begin(), elements.end(), 0u);
  for (std::size_t i = 0; i < synapses.size(); ++i) {
    if (i > 0 && synapses[i].target == synapses[i - 1].target) continue;
    nodes.push_back(synapses[i].target);
    pointers.push_back(i);
  }
  pointers.push_back(synapses.size());
  const Handle ids = file.array(mapping, "node_ids", H5T_STD_U64LE, H5T_NATIVE_UINT64, nodes.size(), nodes.data());
  const std::uint8_t sorted = 1;
  file.attribute(ids.id(), "sorted", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, &sorted);
  (void)file.array(mapping, "index_pointers", H5T_STD_U64LE, H5T_NATIVE_UINT64, pointers.size(), pointers.data());
  (void)file.array(mapping, "element_ids", H5T_STD_U32LE, H5T_NATIVE_UINT32, elements.size(), elements.data());
}

class Recording {
 public:
  Recording(OutputFile& file, const std::string& name, const WeightRecordInfo& info) : file_(file), name_(name), info_(info) {}

  void begin_synapses(hid_t edges, hid_t report, std::span<const Synapse> synapses) {
    write_edges(file_, edges, name_, info_, synapses);
    group_ = named_group(report);
    // A report without elements has one empty column, as HDF5 has no chunks without width.
    values_ = {file_.data_set(group_.id(), "data", H5T_IEEE_F32LE, std::max<std::size_t>(synapses.size(), 1)), H5T_NATIVE_FLOAT, 0,
               std::max<std::size_t>(synapses.size(), 1)};
    file_.text_attribute(values_.set.id(), "units", info_.unit);
    file_.text_attribute(values_.set.id(), "variable", "weight");
    mapping_ = file_.group(group_.id(), "mapping");
    write_mapping(file_, mapping_.id(), synapses);
    empty_ = synapses.empty();
  }
  void append_row(double time_ms, std::span<const float> weights) {
    if (values_.rows == 0) start_ms_ = time_ms;
    const double expected = start_ms_ + static_cast<double>(values_.rows) * info_.recording.interval_ms;
    if (std::abs(time_ms - expected) > 0.25 * info_.recording.interval_ms) {
      throw std::logic_error("rows of recorded weights must be an interval apart");
    }
    const float nothing = 0.0F;
    values_.append(file_, 1, empty_ ? &nothing : weights.data());
  }

  void begin_snapshots(hid_t root) {
    group_ = named_group(root);
    file_.text_attribute(group_.id(), "source_node_population", info_.source);
    file_.text_attribute(group_.id(), "target_node_population", info_.target);
    times_ = column("timestamps", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0);
    file_.text_attribute(times_.set.id(), "units", "ms");
    pointers_ = column("index_pointers", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0);
    const std::uint64_t zero = 0;
    pointers_.append(file_, 1, &zero);
    sources_ = column("source_node_id", H5T_STD_U32LE, H5T_NATIVE_UINT32, 0);
    targets_ = column("target_node_id", H5T_STD_U32LE, H5T_NATIVE_UINT32, 0);
    values_ = column("syn_weight", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0);
    file_.text_attribute(values_.set.id(), "units", info_.unit);
    formed_ = column("formed", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0);
    eliminated_ = column("eliminated", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0);
  }
  void append_snapshot(const WeightSink::Snapshot& s) {
    times_.append(file_, 1, &s.time_ms);
    sources_.append(file_, s.sources.size(), s.sources.data());
    targets_.append(file_, s.targets.size(), s.targets.data());
    values_.append(file_, s.weights.size(), s.weights.data());
    const std::uint64_t end = values_.rows;
    pointers_.append(file_, 1, &end);
    formed_.append(file_, 1, &s.formed);
    eliminated_.append(file_, 1, &s.eliminated);
  }

  void begin_histogram(hid_t root, std::span<const double> edges) {
    group_ = named_group(root);
    file_.text_attribute(file_.array(group_.id(), "bin_edges", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, edges.size(), edges.data()).id(),
                         "units", info_.unit);
    times_ = column("timestamps", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0);
    file_.text_attribute(times_.set.id(), "units", "ms");
    values_ = column("counts", H5T_STD_U64LE, H5T_NATIVE_UINT64, edges.size() - 1);
    below_ = column("below", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0);
    above_ = column("above", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0);
  }
  void append_histogram(double time_ms, std::span<const std::uint64_t> counts) {
    times_.append(file_, 1, &time_ms);
    below_.append(file_, 1, &counts.front());
    values_.append(file_, 1, counts.data() + 1);
    above_.append(file_, 1, &counts.back());
  }

  [[nodiscard]] bool begun() const { return group_.valid(); }
  [[nodiscard]] const WeightRecordInfo& info() const { return info_; }
  void finish() {
    if (mapping_.valid()) {
      const double interval = info_.recording.interval_ms;
      const double time[3] = {start_ms_, start_ms_ + static_cast<double>(values_.rows) * interval, interval};
      Handle times = file_.array(mapping_.id(), "time", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 3, time);
      file_.text_attribute(times.id(), "units", "ms");
      file_.require(times.close() && mapping_.close());
    }
    for (Column* c : {&times_, &pointers_, &sources_, &targets_, &values_, &formed_, &eliminated_, &below_, &above_}) {
      file_.require(c->set.close());
    }
    file_.require(group_.close());
  }

 private:
  Handle named_group(hid_t root) {
    Handle made = file_.group(root, name_);
    file_.text_attribute(made.id(), "projection", info_.recording.projection);
    return made;
  }
  Column column(const char* name, hid_t stored, hid_t type, hsize_t columns) {
    return {file_.data_set(group_.id(), name, stored, columns), type, 0, columns};
  }

  OutputFile& file_;
  std::string name_;
  WeightRecordInfo info_;
  Handle group_, mapping_;
  Column times_, pointers_, sources_, targets_, values_, formed_, eliminated_, below_, above_;
  double start_ms_ = 0.0;
  bool empty_ = false;
};

class Hdf5WeightSink final : public WeightSink {
 public:
  Hdf5WeightSink(const std::filesystem::path& folder, const std::vector<WeightRecordInfo>& infos) : file_(folder / "weights.h5") {
    mark_as_sonata(file_);
    const std::vector<std::string> names = weight_names(infos);
    for (std::size_t i = 0; i < infos.size(); ++i) {
      recordings_.push_back(std::make_unique<Recording>(file_, names[i], infos[i]));
      if (infos[i].recording.what == What::histogram) {
        need(histograms_, "histograms");
      } else if (infos[i].rewired) {
        need(snapshots_, "snapshots");
        recordings_.back()->begin_snapshots(snapshots_.id());
      } else {
        need(edges_, "edges");
        need(report_, "report");
      }
    }
    file_.flush();
  }

  ~Hdf5WeightSink() override {
    const QuietErrors quiet;  // closing after a failed write fails again
    recordings_.clear();
    for (Handle* root : {&edges_, &report_, &snapshots_, &histograms_}) root->close();
    file_.abandon();
  }

  void begin_synapses(std::size_t r, std::span<const Synapse> synapses) override {
    const QuietErrors quiet;
    recordings_[r]->begin_synapses(edges_.id(), report_.id(), synapses);
  }
  void append_row(std::size_t r, double time_ms, std::span<const float> weights) override {
    const QuietErrors quiet;
    recordings_[r]->append_row(time_ms, weights);
  }
  void append_snapshot(std::size_t r, const Snapshot& snapshot) override {
    const QuietErrors quiet;
    recordings_[r]->append_snapshot(snapshot);
  }
  void begin_histogram(std::size_t r, std::span<const double> edges) override {
    const QuietErrors quiet;
    recordings_[r]->begin_histogram(histograms_.id(), edges);
  }
  void append_histogram(std::size_t r, double time_ms, std::span<const std::uint64_t> counts) override {
    const QuietErrors quiet;
    recordings_[r]->append_histogram(time_ms, counts);
  }

  std::vector<std::string> finish() override {
    const QuietErrors quiet;
    for (const auto& recording : recordings_) {
      if (!recording->begun()) {  // nothing was recorded
        if (recording->info().recording.what == What::histogram) {
          recording->begin_histogram(histograms_.id(), std::vector<double>{0.0, 1.0});
        } else {
          recording->begin_synapses(edges_.id(), report_.id(), {});
        }
      }
      recording->finish();
    }
    for (Handle* root : {&edges_, &report_, &snapshots_, &histograms_}) file_.require(root->close());
    file_.commit();
    return {file_.name()};
  }

 private:
  void need(Handle& root, const char* name) {
    if (!root.valid()) root = file_.group(file_.id(), name);
  }

  OutputFile file_;
  Handle edges_, report_, snapshots_, histograms_;
  std::vector<std::unique_ptr<Recording>> recordings_;
};

// Reads the columns of one group.
class GroupReader {
 public:
  GroupReader(const InputFile& file, const std::string& root, const std::string& name, std::uint64_t limit)
      : file_(file), where_(root + "/" + name + "/"), limit_(limit) {
    const Handle parent = file.group(file.id(), root);
    group_ = file.group(parent.id(), name);
  }
  [[nodiscard]] Handle group(const std::string& name) const { return file_.group(group_.id(), name); }
  template <class T>
  [[nodiscard]] std::vector<T> read(hid_t parent, const std::string& name, H5T_class_t kind, hid_t type, int rank = 1) const {
    const Handle set = file_.data_set(parent, name);
    const auto shape = file_.checked_shape(set.id(), where_ + name, rank, kind, limit_);
    return file_.read<T>(set.id(), where_ + name, type, shape[0] * shape[1]);
  }
  [[nodiscard]] std::vector<double> reals(const char* name) const { return read<double>(group_.id(), name, H5T_FLOAT, H5T_NATIVE_DOUBLE); }
  [[nodiscard]] std::vector<std::uint64_t> counts(const char* name, int rank = 1) const {
    return read<std::uint64_t>(group_.id(), name, H5T_INTEGER, H5T_NATIVE_UINT64, rank);
  }
  [[nodiscard]] std::vector<std::uint32_t> numbers(const char* name) const {
    return read<std::uint32_t>(group_.id(), name, H5T_INTEGER, H5T_NATIVE_UINT32);
  }
  [[nodiscard]] std::vector<float> weights(const char* name, int rank = 1) const {
    return read<float>(group_.id(), name, H5T_FLOAT, H5T_NATIVE_FLOAT, rank);
  }

 private:
  const InputFile& file_;
  std::string where_;
  std::uint64_t limit_;
  Handle group_;
};

void read_fixed(const InputFile& file, const std::string& name, std::uint64_t limit, WeightRecord& record) {
  const GroupReader edges(file, "edges", name, limit), report(file, "report", name, limit);
  record.sources = edges.numbers("source_node_id");
  record.targets = edges.numbers("target_node_id");
  record.delays_ms = edges.read<double>(edges.group("0").id(), "delay", H5T_FLOAT, H5T_NATIVE_DOUBLE);
  record.weights = report.weights("data", 2);
  const auto time = report.read<double>(report.group("mapping").id(), "time", H5T_FLOAT, H5T_NATIVE_DOUBLE);
  const std::size_t columns = std::max<std::size_t>(record.sources.size(), 1);
  const std::size_t rows = record.weights.size() / columns;
  const bool fits = time.size() == 3 && std::isfinite(time[0]) && time[2] > 0.0 && record.weights.size() % columns == 0 &&
                    std::abs(time[0] + static_cast<double>(rows) * time[2] - time[1]) <= 0.5 * time[2];
  if (!fits) file.fail("'report/" + name + "/mapping/time' does not fit the number of rows.");
  if (record.sources.empty()) record.weights.clear();
  for (std::size_t i = 0; i < rows; ++i) record.times_ms.push_back(time[0] + static_cast<double>(i) * time[2]);
}

}  // namespace

std::unique_ptr<WeightSink> make_weight_sink(const std::filesystem::path& folder, const std::vector<WeightRecordInfo>& recordings) {
  const QuietErrors quiet;
  return std::make_unique<Hdf5WeightSink>(folder, recordings);
}

std::vector<WeightRecord> read_weights_hdf5(const std::filesystem::path& path, const std::vector<WeightRecordInfo>& recordings,
                                            std::uint64_t limit) {
  const QuietErrors quiet;
  const InputFile file(path);
  const std::vector<std::string> names = weight_names(recordings);
  std::vector<WeightRecord> records;
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    WeightRecord record;
    record.info = recordings[r];
    if (record.info.recording.what == What::histogram) {
      const GroupReader group(file, "histograms", names[r], limit);
      record.times_ms = group.reals("timestamps");
      record.edges = group.reals("bin_edges");
      record.counts = group.counts("counts", 2);
      record.below = group.counts("below");
      record.above = group.counts("above");
    } else if (record.info.rewired) {
      const GroupReader group(file, "snapshots", names[r], limit);
      record.times_ms = group.reals("timestamps");
      record.begin = group.counts("index_pointers");
      record.sources = group.numbers("source_node_id");
      record.targets = group.numbers("target_node_id");
      record.weights = group.weights("syn_weight");
      record.formed = group.counts("formed");
      record.eliminated = group.counts("eliminated");
    } else {
      read_fixed(file, names[r], limit, record);
    }
    require_consistent(record, path.string());
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace tessera::io
