// Reading the result folder of a training back.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/training_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "files/file.hpp"
#include "results/training_metrics.hpp"

namespace tessera::training {
namespace {

using json = nlohmann::ordered_json;

constexpr std::uint64_t kLongestReport = std::uint64_t{1} << 26;
constexpr std::uint64_t kLongestTable = std::uint64_t{1} << 30;
constexpr std::size_t kMostClasses = 65536;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& key,
                       const std::string& what) {
  throw InputError({{{file.string(), 0, 0, key}, what}});
}

const json& at(const json& object, const char* key, const std::filesystem::path& file) {
  if (!object.is_object() || !object.contains(key)) fail(file, key, "this is missing.");
  return object[key];
}

std::string text_of(const json& value, const char* key, const std::filesystem::path& file) {
  if (!value.is_string()) fail(file, key, "this must be a text.");
  return value.get<std::string>();
}

std::uint64_t count_of(const json& value, const char* key, const std::filesystem::path& file,
                       std::uint64_t most = UINT32_MAX) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
    fail(file, key, fmt::format("this must be a whole number of at most {}.", most));
  return value.get<std::uint64_t>();
}

// The cells of one line of a csv file; quoted cells may hold commas and doubled quotes.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        cells.back() += line[++i];
      } else {
        quoted = !quoted;
      }
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

// Calls row(cells, line number) for all lines but the first.
template <class Row>
void for_each_row(const std::filesystem::path& file, const Row& row) {
  const std::string text = io::read_file(file, kLongestTable);
  std::size_t begin = text.find('\n');
  for (int line = 2; begin != std::string::npos && begin + 1 < text.size(); ++line) {
    const std::size_t end = text.find('\n', begin + 1);
    std::string_view content(text.data() + begin + 1,
                             (end == std::string::npos ? text.size() : end) - begin - 1);
    if (content.ends_with('\r')) content.remove_suffix(1);
    row(cells_of(content), line);
    begin = end;
  }
}

std::uint64_t cell_count(const std::string& cell, std::uint64_t most,
                         const std::filesystem::path& file, int line) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error == std::errc() && rest == cell.data() + cell.size() && number <= most) return number;
  throw InputError({{{file.string(), line, 0, ""},
                     fmt::format("'{:.40}' is not a whole number of at most {}.", cell, most)}});
}

void read_confusion(const std::filesystem::path& file, TrainingResult& result) {
  for_each_row(file, [&](const std::vector<std::string>& cells, int line) {
    if (cells.size() != result.classes.size() + 1)
      throw InputError({{{file.string(), line, 0, ""},
                         fmt::format("this line has {} cells; {} classes need {}.", cells.size(),
                                     result.classes.size(), result.classes.size() + 1)}});
    std::vector<std::uint64_t>& row = result.confusion.emplace_back();
    for (std::size_t i = 1; i < cells.size(); ++i)
      row.push_back(cell_count(cells[i], std::uint64_t{1} << 53, file, line));
  });
  if (result.confusion.size() != result.classes.size())
    fail(file, "", "there must be a line for every class.");
}

SampleRaster read_raster(const std::filesystem::path& file, const json& described,
                         const std::filesystem::path& report, std::uint32_t steps) {
  SampleRaster raster;
  raster.label = static_cast<std::int32_t>(
      count_of(at(described, "label", report), "label", report, INT32_MAX));
  raster.prediction = static_cast<std::int32_t>(
      count_of(at(described, "prediction", report), "prediction", report, INT32_MAX));
  const json& layers = at(described, "layers", report);
  if (!layers.is_array()) fail(report, "raster.layers", "this must be a list.");
  for (const json& layer : layers) {
    raster.layers.push_back({text_of(at(layer, "name", report), "name", report),
                             count_of(at(layer, "neurons", report), "neurons", report),
                             {}});
  }
  for_each_row(file, [&](const std::vector<std::string>& cells, int line) {
    const auto layer = std::find_if(
        raster.layers.begin(), raster.layers.end(),
        [&](const SampleRaster::Layer& l) { return cells.size() == 3 && l.name == cells[0]; });
    if (layer == raster.layers.end() || steps == 0 || layer->neurons == 0)
      throw InputError({{{file.string(), line, 0, ""}, "this is not layer,step,neuron."}});
    layer->spikes.push_back(
        {static_cast<std::uint32_t>(cell_count(cells[1], steps - 1, file, line)),
         static_cast<std::uint32_t>(cell_count(cells[2], layer->neurons - 1, file, line))});
  });
  return raster;
}

void read_settings(const json& report, const std::filesystem::path& file, TrainingResult& result) {
  const json& network = at(at(report, "settings", file), "network", file);
  result.steps = static_cast<std::uint32_t>(count_of(at(network, "steps", file), "steps", file));
  const json& dt = at(network, "dt_ms", file);
  if (!dt.is_number() || !(dt.get<double>() > 0.0)) fail(file, "dt_ms", "this must be above 0.");
  result.dt_ms = dt.get<double>();
  result.seed = count_of(at(report, "seed", file), "seed", file, UINT64_MAX);
}

void read_names(const json& report, const std::filesystem::path& file, TrainingResult& result) {
  result.model = text_of(at(report, "model", file), "model", file);
  const json& classes = at(report, "classes", file);
  if (!classes.is_array() || classes.size() > kMostClasses)
    fail(file, "classes", "this must be a list of names.");
  for (const json& name : classes) result.classes.push_back(text_of(name, "classes", file));
  const json& overrides = at(report, "set", file);
  if (!overrides.is_array()) fail(file, "set", "this must be a list.");
  for (const json& pair : overrides) {
    if (!pair.is_array() || pair.size() != 2) fail(file, "set", "this must be a list of pairs.");
    result.overrides.emplace_back(text_of(pair[0], "set", file), text_of(pair[1], "set", file));
  }
}

void read_digests(const json& report, const std::filesystem::path& file, TrainingResult& result) {
  const std::string digest = text_of(at(report, "weights_digest", file), "weights_digest", file);
  const auto [rest, error] =
      std::from_chars(digest.data(), digest.data() + digest.size(), result.weights_digest, 16);
  if (error != std::errc() || rest != digest.data() + digest.size())
    fail(file, "weights_digest", "this must be a hexadecimal number.");
  const json& checksums = at(report, "checksums", file);
  if (!checksums.is_object()) fail(file, "checksums", "this must be an object.");
  for (const auto& [name, checksum] : checksums.items())
    result.checksums[name] = text_of(checksum, "checksums", file);
}

}  // namespace

void require_intact(const TrainingResult& result, const std::string& name) {
  const std::filesystem::path file = result.folder / name;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    fail(file, "", "this file is missing or not a regular file.");
  const auto known = result.checksums.find(name);
  if (known != result.checksums.end() && io::file_checksum(file) == known->second) return;
  fail(file, "",
       "this file is damaged, was edited or is of another training (its checksum is not the one in "
       "report.json).");
}

bool is_training_result(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path file = folder / "report.json";
  if (!std::filesystem::is_regular_file(file, ignored)) return false;
  try {
    const json report = io::parse_json(io::read_file(file, kLongestReport), file.string());
    return report.is_object() && report.value("kind", json()) == "training";
  } catch (const InputError&) {
    return false;  // who reads the report next says what is wrong with it
  }
}

TrainingResult load_training_result(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "report.json";
  const json report = io::read_report(file);
  if (text_of(at(report, "kind", file), "kind", file) != "training")
    fail(file, "kind", "this is not the report of a training.");
  TrainingResult result;
  result.folder = folder;
  read_names(report, file, result);
  read_settings(report, file, result);
  read_digests(report, file, result);
  result.best_epoch =
      static_cast<std::uint32_t>(count_of(at(report, "best_epoch", file), "best_epoch", file));
  if (result.checksums.contains("metrics.json")) {
    require_intact(result, "metrics.json");
    const std::filesystem::path metrics = folder / "metrics.json";
    result.epochs = io::parse_metrics(io::read_file(metrics, kLongestTable), metrics.string());
  }
  if (report.contains("test")) {
    const json& accuracy = at(report["test"], "accuracy", file);
    if (accuracy.is_number()) result.test_accuracy = accuracy.get<double>();
    require_intact(result, "confusion.csv");
    read_confusion(folder / "confusion.csv", result);
  }
  if (report.contains("raster")) {
    require_intact(result, "raster.csv");
    result.raster = read_raster(folder / "raster.csv", report["raster"], file, result.steps);
  }
  return result;
}

}  // namespace tessera::training
