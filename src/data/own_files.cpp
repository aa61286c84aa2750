// Data of one's own (set "file"): spikes or numbers with labels in npy, npz, csv or HDF5 files.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "data/encoding.hpp"
#include "data/readers.hpp"
#include "files/csv_table.hpp"
#include "files/file.hpp"
#include "files/npz.hpp"

namespace tessera::training {
namespace {

constexpr std::uint64_t kLongestFile = std::uint64_t{1} << 34;
const std::vector<std::string> kSpikeColumns = {"sample", "step", "channel"};

// Rows of numbers, and how a message names one of them.
struct Rows {
  std::string file;
  std::size_t columns = 0;
  std::vector<double> values;
  std::vector<std::uint32_t> lines;  // csv
  std::vector<std::string> header;   // csv

  [[nodiscard]] std::size_t size() const { return columns == 0 ? 0 : values.size() / columns; }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const {
    return values[row * columns + column];
  }
  [[nodiscard]] std::string place(std::size_t row) const {
    return lines.empty() ? fmt::format("{}: row {}", file, row)
                         : fmt::format("{}:{}", file, lines[row]);
  }
  [[noreturn]] void fail(std::size_t row, const std::string& what) const {
    throw InputError(place(row) + ": " + what);
  }
};

Rows rows_of(io::NpyArray array, std::string file) {
  return {std::move(file), array.columns(), std::move(array.values), {}, {}};
}

// One file with one array; of an npz the array of that name.
Rows read_rows(const std::filesystem::path& path, const std::string& array) {
  const std::string extension = path.extension().string();
  std::string bytes = io::read_file(path, kLongestFile);
  if (extension == ".npz") {
    const std::string name = path.string() + ":" + array;
    return rows_of(io::NpzArchive(std::move(bytes), path.string()).read(array), name);
  }
  if (extension == ".npy") return rows_of(io::parse_npy(bytes, path.string()), path.string());
  io::CsvTable table = io::parse_csv_table(bytes, path.string());
  return {path.string(), table.columns, std::move(table.values), std::move(table.lines),
          std::move(table.header)};
}

// A whole number below `limit`, with the sentence that says what else it is.
std::uint32_t whole(const Rows& rows, std::size_t row, std::size_t column, std::uint64_t limit,
                    const std::string& what) {
  const double value = rows.at(row, column);
  if (!(value >= 0.0 && value < static_cast<double>(limit)) || value != std::floor(value)) {
    rows.fail(row, fmt::format("the {} is {}; it must be a whole number from 0 to {}.", what, value,
                               limit - 1));
  }
  return static_cast<std::uint32_t>(value);
}

// A label for every sample, in order; a table of two columns counts the samples in the first.
std::vector<std::int32_t> labels_of(const Rows& rows, std::uint64_t classes) {
  const bool counted = rows.columns == 2;
  if (rows.size() > 0 && rows.columns != 1 && !counted) {
    throw InputError(fmt::format("{} has {} columns instead of label, or sample and label.",
                                 rows.file, rows.columns));
  }
  std::vector<std::int32_t> labels(rows.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (counted && rows.at(i, 0) != static_cast<double>(i)) {
      rows.fail(i, fmt::format("the sample is {}, where {} is next.", rows.at(i, 0), i));
    }
    labels[i] = static_cast<std::int32_t>(whole(rows, i, counted ? 1 : 0, classes, "label"));
  }
  return labels;
}

// Where sample, step and channel stand: the header of a csv file may have them in any order.
std::array<std::size_t, 3> spike_columns(const Rows& rows) {
  std::array<std::size_t, 3> order = {0, 1, 2};
  if (rows.size() > 0 && rows.columns != order.size()) {
    throw InputError(fmt::format("{} has {} columns instead of {}.", rows.file, rows.columns,
                                 fmt::join(kSpikeColumns, ", ")));
  }
  for (std::size_t i = 0; !rows.header.empty() && i < order.size(); ++i) {
    const auto found = std::find(rows.header.begin(), rows.header.end(), kSpikeColumns[i]);
    if (found == rows.header.end()) {
      throw InputError(fmt::format("{}: the header names {} instead of {}.", rows.file,
                                   fmt::join(rows.header, ", "), fmt::join(kSpikeColumns, ", ")));
    }
    order[i] = static_cast<std::size_t>(found - rows.header.begin());
  }
  return order;
}

class OwnSpikes : public EventSource {
 public:
  OwnSpikes(const Rows& rows, std::vector<std::int32_t> labels, const Shape& shape, double step_ms,
            std::vector<std::filesystem::path> files)
      : labels_(std::move(labels)), shape_(shape), files_(std::move(files)) {
    const auto [sample, step, channel] = spike_columns(rows);
    const std::size_t spikes = rows.size();
    first_.assign(labels_.size() + 1, 0);
    if (labels_.empty() && spikes > 0) rows.fail(0, "there are spikes, but no label of a sample.");
    std::vector<std::uint32_t> of(spikes);
    for (std::size_t i = 0; i < spikes; ++i) {
      of[i] = whole(rows, i, sample, labels_.size(), "sample");
      ++first_[of[i] + 1];
    }
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    time_us_.resize(spikes);
    address_.resize(spikes);
    std::vector<std::size_t> next = first_;
    for (std::size_t i = 0; i < spikes; ++i) {
      const std::size_t to = next[of[i]]++;
      const double time_us = step_start_us(rows.at(i, step), step_ms);
      if (!(time_us >= 0.0 && time_us < std::numeric_limits<std::uint32_t>::max())) {
        rows.fail(i, fmt::format("the step is {}; spikes lie between 0 and 71 minutes.",
                                 rows.at(i, step)));
      }
      time_us_[to] = static_cast<std::uint32_t>(time_us);
      address_[to] = whole(rows, i, channel, shape.size(), "channel");
    }
  }
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] Shape shape() const override { return shape_; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override { return labels_[index]; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return files_; }
  void read(std::size_t index, Events& events) const override {
    const auto begin = static_cast<std::ptrdiff_t>(first_[index]),
               end = static_cast<std::ptrdiff_t>(first_[index + 1]);
    events.time_us.assign(time_us_.begin() + begin, time_us_.begin() + end);
    events.address.assign(address_.begin() + begin, address_.begin() + end);
  }

 private:
  std::vector<std::int32_t> labels_;
  Shape shape_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::size_t> first_;  // spikes of sample i: first_[i] .. first_[i + 1]
  std::vector<std::uint32_t> time_us_, address_;
};

class OwnValues : public ValueSource {
 public:
  OwnValues(const Rows& rows, std::vector<std::int32_t> labels, const Shape& shape,
            std::vector<std::filesystem::path> files)
      : labels_(std::move(labels)), shape_(shape), files_(std::move(files)) {
    if (rows.size() != labels_.size() || (rows.size() > 0 && rows.columns != shape.size())) {
      throw InputError(fmt::format("{} has {} rows of {} values, but {} labels and a shape of {}.",
                                   rows.file, rows.size(), rows.columns, labels_.size(),
                                   shape.size()));
    }
    values_.resize(rows.values.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double value = rows.values[i];
      if (!(value >= 0.0 && value <= 1.0)) {
        rows.fail(i / rows.columns,
                  fmt::format("the value in column {} is {}; values are scaled to 0 .. 1.",
                              i % rows.columns, value));
      }
      values_[i] = static_cast<float>(value);
    }
  }
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] Shape shape() const override { return shape_; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override { return labels_[index]; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return files_; }
  void read(std::size_t index, std::vector<float>& values) const override {
    const auto n = static_cast<std::ptrdiff_t>(shape_.size());
    const auto begin = values_.begin() + static_cast<std::ptrdiff_t>(index) * n;
    values.assign(begin, begin + n);
  }

 private:
  std::vector<std::int32_t> labels_;
  Shape shape_;
  std::vector<std::filesystem::path> files_;
  std::vector<float> values_;
};

}  // namespace

double step_start_us(double step, double step_ms) {
  // Up, so that the whole microsecond does not lie before the step; but decimal steps are not
  // exact.
  return std::ceil(step * step_ms * 1e3 - 1e-6);
}

bool is_hdf5_name(const std::string& file) {
  return file.ends_with(".h5") || file.ends_with(".hdf5");
}

std::shared_ptr<const Source> open_own_files(const DataSpec& spec, const Folders& folders,
                                             Split split) {
  const FileSpec& f = spec.file;
  const std::string& data = split == Split::train ? f.training : f.test;
  const std::string& labels = split == Split::train ? f.training_labels : f.test_labels;
  const bool spikes = f.content == FileContent::spikes;
  Rows rows;
  std::vector<std::int32_t> label;
  std::vector<std::filesystem::path> files;
  if (!data.empty()) {
    files.push_back(folders.front() / data);
    if (is_hdf5_name(data)) return open_shd_file(files[0], f.shape, f.classes.size());
    const std::filesystem::path beside = labels.empty() ? files[0] : folders.front() / labels;
    label = labels_of(read_rows(beside, "labels"), f.classes.size());
    rows = read_rows(files[0], spikes ? "spikes" : "values");
    if (!labels.empty()) files.push_back(beside);
  }
  if (spikes) {
    return std::make_shared<OwnSpikes>(rows, std::move(label), f.shape, *f.step_ms,
                                       std::move(files));
  }
  return std::make_shared<OwnValues>(rows, std::move(label), f.shape, std::move(files));
}

}  // namespace tessera::training
