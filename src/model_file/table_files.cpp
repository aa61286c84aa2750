// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/table_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "files/file.hpp"
#include "files/list_file.hpp"
#include "files/npy.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

constexpr std::uint64_t kLongestFile = std::uint64_t{256} << 20;
constexpr std::size_t kMostNumbers = std::size_t{1} << 22;
constexpr std::size_t kMostListed = 1000;  // names of files that are looked through for a near one

[[noreturn]] void fail(std::string message) { throw InputError(std::move(message)); }

// A text, or a list of texts.
std::vector<std::string> texts_of(const toml::node& node, const std::string& key) {
  if (const auto text = node.value_exact<std::string>()) return {*text};
  const toml::array* array = node.as_array();
  if (array == nullptr || array->empty() || !array->is_homogeneous<std::string>()) {
    fail(fmt::format("'{}' must be a text or a list of texts.", key));
  }
  std::vector<std::string> texts;
  for (const toml::node& entry : *array) texts.push_back(*entry.value<std::string>());
  return texts;
}

void require_one_source(const TableRequest& r) {
  const std::filesystem::path extension = std::filesystem::path(r.file).extension();
  if (extension != ".npy" && extension != ".npz" && extension != ".csv") {
    fail(fmt::format("'{}' must be a .npy, an .npz or a .csv file.", r.file));
  }
  if (r.array.has_value() != (extension == ".npz")) {
    fail(extension == ".npz" ? fmt::format("'{}' holds several arrays: name one as 'array'.", r.file)
                             : "Only an .npz file has an 'array'.");
  }
  if (!r.columns.empty() && extension != ".csv") fail("Only a .csv file has a 'column'.");
  if (!r.equals.empty() && r.columns.size() != 1) fail("'equals' needs one 'column' of texts.");
  if (!r.unit.empty() && !find_unit(r.unit)) fail(fmt::format("'{}' is not a unit; units are {}.", r.unit, known_units()));
}

Value value_of(std::vector<double> numbers, std::size_t columns, const TableRequest& request) {
  const std::size_t width = std::max<std::size_t>(columns, 1);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (std::isfinite(numbers[i])) continue;
    fail(columns > 0 ? fmt::format("Row {}, column {} of '{}' (counted from 0) is not a finite number.", i / width, i % width, request.file)
                     : fmt::format("Entry {} of '{}' (counted from 0) is not a finite number.", i, request.file));
  }
  Value value = Value::of(std::move(numbers), request.unit.empty() ? Dimension{} : *find_unit(request.unit));
  value.columns = columns;
  return value;
}

Value value_of(NpyArray array, const TableRequest& request) {
  if (array.values.empty()) fail(fmt::format("The table in '{}' is empty.", request.file));
  if (array.values.size() > kMostNumbers) {
    fail(fmt::format("The table in '{}' has {} numbers; at most {} are possible.", request.file, array.values.size(), kMostNumbers));
  }
  return value_of(std::move(array.values), array.shape.size() > 1 ? array.columns() : 0, request);
}

// The names in the folder where a file should have been.
std::vector<std::string> neighbours(const std::filesystem::path& file) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(file.parent_path(), error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
    if (names.size() == kMostListed) break;
  }
  return names;
}

}  // namespace

bool is_table_file(const toml::node& node) {
  const toml::table* table = node.as_table();
  return table != nullptr && table->contains("file");
}

TableRequest read_table_request(const toml::table& table, const std::function<std::string(const std::string&)>& text_of,
                                const std::vector<std::string>& also) {
  static const std::vector<std::string> kKeys{"file", "folder", "array", "column", "equals", "separator", "unit"};
  TableRequest r;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (std::find(also.begin(), also.end(), name) != also.end()) continue;
    if (name == "column") r.columns = texts_of(node, name);
    if (name == "equals") r.equals = texts_of(node, name);
    if (name == "column" || name == "equals") continue;
    if (std::find(kKeys.begin(), kKeys.end(), name) == kKeys.end()) {
      fail(fmt::format("Unknown key '{}' of a table from a file.{}", name, did_you_mean(name, kKeys)));
    }
    const auto text = node.value_exact<std::string>();
    if (!text) fail(fmt::format("'{}' must be a text.", name));
    const std::string value = text->starts_with('$') ? text_of(*text) : *text;
    if (name == "file") r.file = value;
    if (name == "folder") r.folder = value;
    if (name == "array") r.array = value;
    if (name == "separator") r.separator = value;
    if (name == "unit") r.unit = value;
  }
  require_one_source(r);
  return r;
}

std::filesystem::path TableFiles::find(const TableRequest& request) const {
  const std::string name = (std::filesystem::path(request.folder) / request.file).string();
  std::error_code error;
  const std::filesystem::path beside = model_ / name;
  if (data_.empty() || std::filesystem::exists(beside, error)) {
    if (!std::filesystem::exists(beside, error) && !std::filesystem::path(name).is_absolute() && name.find("..") == std::string::npos) {
      fail(fmt::format("There is no file '{}' in the model's folder{}.{}", name,
                       data_.empty() ? ", and TESSERA_DATA_DIR names no other" : "",
                       did_you_mean(request.file, neighbours(beside))));
    }
    return file_in_folder(model_, name);
  }
  if (!std::filesystem::exists(data_ / name, error)) {
    std::vector<std::string> near = neighbours(beside);
    const std::vector<std::string> others = neighbours(data_ / name);
    near.insert(near.end(), others.begin(), others.end());
    fail(fmt::format("There is no file '{}' in the model's folder, nor in '{}' (TESSERA_DATA_DIR).{}", name, data_.string(),
                     did_you_mean(request.file, near)));
  }
  return file_in_folder(data_, name);
}

const CsvTexts& TableFiles::csv(const std::filesystem::path& file) {
  const auto found = csv_.find(file);
  if (found != csv_.end()) return found->second;
  return csv_.emplace(file, parse_csv_texts(read_file(file, kLongestFile), file.string())).first->second;
}

const NpzArchive& TableFiles::npz(const std::filesystem::path& file) {
  std::unique_ptr<NpzArchive>& archive = npz_[file];
  if (!archive) archive = std::make_unique<NpzArchive>(read_file(file, kLongestFile), file.string());
  return *archive;
}

Value TableFiles::numbers(const TableRequest& request) {
  const std::filesystem::path file = find(request);
  if (file.extension() == ".npy") return value_of(read_npy(file, kLongestFile), request);
  if (file.extension() == ".csv") return csv_numbers(request, file);
  const NpzArchive& archive = npz(file);
  if (!archive.has(*request.array)) {
    fail(fmt::format("'{}' has no array '{}'; it has {}.{}", request.file, *request.array, fmt::join(archive.names(), ", "),
                     did_you_mean(*request.array, archive.names())));
  }
  return value_of(archive.read(*request.array), request);
}

Value TableFiles::csv_numbers(const TableRequest& request, const std::filesystem::path& file) {
  if (!request.equals.empty()) {
    std::vector<double> truths;
    for (const std::string& text : texts(request)) {
      truths.push_back(std::find(request.equals.begin(), request.equals.end(), text) != request.equals.end() ? 1.0 : 0.0);
    }
    return value_of(std::move(truths), 0, request);
  }
  if (request.columns.empty()) {
    const CsvTable table = parse_csv_table(read_file(file, kLongestFile), file.string());
    return value_of(NpyArray{{table.rows(), table.columns}, table.values}, request);
  }
  if (request.columns.size() > 1) fail("A table of numbers has one 'column'; without it, the whole file is a matrix.");
  NpyArray list;
  for (const std::string& cell : texts(request)) {
    double number = 0.0;
    if (!parse_cell(cell, number)) {
      throw InputError({{{file.string(), static_cast<int>(csv(file).lines[list.values.size()]), 0, ""},
                         fmt::format("'{:.40}' in column '{}' is not a number.", cell, request.columns[0])}});
    }
    list.values.push_back(number);
  }
  list.shape = {list.values.size()};
  return value_of(std::move(list), request);
}

std::vector<std::string> TableFiles::texts(const TableRequest& request) {
  const std::filesystem::path file = find(request);
  if (file.extension() != ".csv" || request.columns.empty()) fail("Texts are the 'column' of a .csv file.");
  const CsvTexts& table = csv(file);
  std::vector<std::string> joined(table.lines.size());
  for (const std::string& column : request.columns) {
    const auto found = std::find(table.header.begin(), table.header.end(), column);
    if (found == table.header.end()) {
      fail(fmt::format("'{}' has no column '{}'; it has {}.{}", request.file, column, fmt::join(table.header, ", "),
                       did_you_mean(column, table.header)));
    }
    const auto at = static_cast<std::size_t>(found - table.header.begin());
    for (std::size_t row = 0; row < joined.size(); ++row) {
      if (column != request.columns.front()) joined[row] += request.separator;
      joined[row] += table.cells[row * table.header.size() + at];
    }
  }
  if (joined.empty()) fail(fmt::format("'{}' has no rows.", request.file));
  return joined;
}

}  // namespace tessera::io
