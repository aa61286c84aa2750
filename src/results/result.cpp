// Reading a result folder back.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/result.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <system_error>

#include "files/file.hpp"
#include "files/sealed_json.hpp"
#include "results/report_reader.hpp"

namespace tessera {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLongestReport = std::uint64_t{1} << 26;
constexpr int kDeepestReport = 16;
constexpr std::uint64_t kMostNeurons = std::uint64_t{1} << 32;
constexpr double kLongestTimeMs = 1e15;

// Collects what is wrong with a report instead of stopping at the first thing.
class ReportReader {
 public:
  explicit ReportReader(std::string name) : name_(std::move(name)) {}

  Report read(const std::string& text) {
    const json root = parse(text);
    Report report;
    if (!root.is_object()) {
      problem("", "the report is not an object.");
    } else {
      read_scalars(root, report.result);
      read_populations(root, report.result);
      read_recorders(root, report);
      read_weight_recorders(root, report);
      read_files(root, report);
    }
    if (!problems_.empty()) throw InputError(problems_);
    return report;
  }

 private:
  void problem(const std::string& key, const std::string& message) {
    if (problems_.size() < 100) problems_.push_back({{name_, 0, 0, key}, message});
  }

  json parse(const std::string& text) {
    const auto limit_depth = [this](int depth, json::parse_event_t, json&) {
      if (depth > kDeepestReport) throw InputError(name_ + ": the report is nested too deeply.");
      return true;
    };
    try {
      return json::parse(text, limit_depth);
    } catch (const json::exception& error) {
      throw InputError(name_ + ": the report is damaged or no JSON: " + error.what());
    }
  }

  // A finite number in [low, high]; `fallback` when the key is missing and not required.
  double number(const json& object, const std::string& path, const char* key, double low,
                double high, bool required, double fallback) {
    const auto found = object.find(key);
    const std::string where = path + key;
    if (found == object.end() || found->is_null()) {
      if (required) problem(where, "this number is missing.");
      return fallback;
    }
    const double value = found->is_number() ? found->get<double>() : fallback;
    if (!found->is_number() || !(value >= low && value <= high)) {
      problem(where, "this must be a number from " + std::to_string(low) + " to " +
                         std::to_string(high) + ".");
      return fallback;
    }
    return value;
  }

  std::string text(const json& object, const std::string& path, const char* key, bool required) {
    const auto found = object.find(key);
    if (found != object.end() && found->is_string() &&
        found->get_ref<const std::string&>().size() <= 1024) {
      return found->get<std::string>();
    }
    if (required || found != object.end())
      problem(path + key, "this must be a text of at most 1024 bytes.");
    return "";
  }

  void read_scalars(const json& root, Result& result) {
    result.model = text(root, "", "model", false);
    result.digest = text(root, "", "digest", false);
    result.dt_ms = number(root, "", "dt_ms", 1e-9, 1e9, true, 0.1);
    result.start_ms = number(root, "", "start_ms", 0.0, kLongestTimeMs, false, 0.0);
    result.model_time_ms = number(root, "", "model_time_ms", 0.0, kLongestTimeMs, true, 0.0);
    result.discard_ms = number(root, "", "discard_ms", 0.0, kLongestTimeMs, false, 0.0);
    const auto seed = root.find("seed");
    if (seed != root.end() && seed->is_number_unsigned()) result.seed = seed->get<std::uint64_t>();
  }

  void read_populations(const json& root, Result& result) {
    const auto list = root.find("populations");
    if (list == root.end() || !list->is_array()) {
      problem("populations", "this list is missing.");
      return;
    }
    std::set<std::string> names;
    std::uint64_t neurons = 0;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const json& entry = (*list)[i];
      const std::string path = "populations[" + std::to_string(i) + "].";
      if (!entry.is_object()) {
        problem(path, "this must be an object.");
        continue;
      }
      constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
      ResultPopulation population;
      population.name = text(entry, path, "name", true);
      population.size = static_cast<std::uint32_t>(
          number(entry, path, "size", 0.0, static_cast<double>(kMostNeurons - 1), true, 0.0));
      population.rate_hz = number(entry, path, "rate_hz", 0.0, 1e9, false, kUnknown);
      population.cv_isi = number(entry, path, "cv_isi", 0.0, 1e9, false, kUnknown);
      population.first_recorded = static_cast<std::uint32_t>(
          number(entry, path, "recorded_neurons", 0.0, 4294967295.0, false, SpikeSelection::kAll));
      population.grid = grid(entry, path + "grid.");
      if (population.grid.columns > 0 && population.size % population.grid.columns != 0) {
        problem(path + "grid.columns", "the population is not made of whole rows of so many columns.");
      }
      const auto inhibitory = entry.find("inhibitory");
      population.inhibitory =
          inhibitory != entry.end() && inhibitory->is_boolean() && inhibitory->get<bool>();
      if (!names.insert(population.name).second) problem(path + "name", "this name occurs twice.");
      neurons += population.size;
      result.populations.push_back(std::move(population));
    }
    if (neurons >= kMostNeurons) problem("populations", "they have more than 2^32 neurons.");
  }

  void read_recorders(const json& root, Report& report) {
    const auto list = root.find("recorders");
    if (list == root.end()) return;
    if (!list->is_array()) {
      problem("recorders", "this must be a list.");
      return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      const json& entry = (*list)[i];
      const std::string path = "recorders[" + std::to_string(i) + "].";
      if (!entry.is_object()) {
        problem(path, "this must be an object.");
        continue;
      }
      const double neurons = number(entry, path, "neurons", 0.0, 4294967295.0, true, 0.0);
      const double interval_ms = number(entry, path, "interval_ms", 1e-9, 1e15, false, 0.1);
      report.columns.push_back({text(entry, path, "population", true),
                                text(entry, path, "variable", true),
                                static_cast<std::size_t>(neurons), interval_ms});
    }
  }

  void read_weight_recorders(const json& root, Report& report) {
    const auto list = root.find("weight_recorders");
    if (list == root.end()) return;
    if (!list->is_array()) return problem("weight_recorders", "this must be a list.");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const json& entry = (*list)[i];
      const std::string path = "weight_recorders[" + std::to_string(i) + "].";
      if (!entry.is_object()) {
        problem(path, "this must be an object.");
        continue;
      }
      using What = WeightRecording::What;
      WeightRecordInfo info;
      const std::string what = text(entry, path, "what", true);
      if (what != "all" && what != "sample" && what != "histogram") problem(path + "what", "this must be all, sample or histogram.");
      info.recording.what = what == "all" ? What::all : what == "sample" ? What::sample : What::histogram;
      info.recording.projection = text(entry, path, "projection", true);
      info.recording.count = static_cast<std::uint32_t>(number(entry, path, "count", 0.0, 4294967295.0, true, 1.0));
      info.recording.interval_ms = number(entry, path, "interval_ms", 1e-9, 1e15, true, 1.0);
      info.source = text(entry, path, "source", true);
      info.target = text(entry, path, "target", true);
      info.unit = text(entry, path, "unit", false);
      const auto rewired = entry.find("rewired");
      info.rewired = rewired != entry.end() && rewired->is_boolean() && rewired->get<bool>();
      report.weights.push_back(std::move(info));
    }
  }

  // The grid of a population; none where it is not on one.
  PopulationGrid grid(const json& entry, const std::string& path) {
    PopulationGrid grid;
    const auto found = entry.find("grid");
    if (found == entry.end() || !found->is_object()) return grid;
    grid.columns = static_cast<std::uint32_t>(number(*found, path, "columns", 1.0, 4294967295.0, true, 1.0));
    grid.extent_x_mm = number(*found, path, "extent_x_mm", 0.0, 1e9, true, 0.0);
    grid.extent_y_mm = number(*found, path, "extent_y_mm", 0.0, 1e9, true, 0.0);
    const auto periodic = found->find("periodic");
    grid.periodic = periodic == found->end() || !periodic->is_boolean() || periodic->get<bool>();
    return grid;
  }

  void read_files(const json& root, Report& report) {
    const auto list = root.find("files");
    if (list == root.end()) return;
    if (!list->is_array()) problem("files", "this must be a list.");
    for (const json& entry : *list) {
      if (entry.is_string()) report.files.push_back(entry.get<std::string>());
    }
    const auto checksums = root.find("checksums");
    if (checksums == root.end() || !checksums->is_object()) return;
    for (const auto& [name, checksum] : checksums->items()) {
      if (checksum.is_string()) report.checksums[name] = checksum.get<std::string>();
    }
  }

  std::string name_;
  std::vector<Problem> problems_;
};

std::string spikes_npy(const std::string& population) {
  return "spikes_" + io::encoded_name(population) + ".npy";
}

// Checks spikes against the report and brings them into order.
SpikeList checked(io::RawSpikes&& raw, const ResultPopulation& population, const Result& result) {
  const auto fail = [&](std::size_t i, const std::string& what) -> void {
    throw InputError("cannot read the spikes of " + result.folder.string() + ": population '" +
                     population.name + "', spike " + std::to_string(i) + ": " + what);
  };
  const double last = result.model_time_ms + 0.5 * result.dt_ms;
  SpikeList spikes;
  spikes.neurons.resize(raw.ids.size());
  bool ordered = true;
  for (std::size_t i = 0; i < raw.ids.size(); ++i) {
    const double time = raw.times_ms[i];
    if (raw.ids[i] >= population.recorded()) {
      fail(i, "neuron " + std::to_string(raw.ids[i]) + " of a population of " + std::to_string(population.size) +
                  (population.recorded() < population.size
                       ? ", of which the first " + std::to_string(population.recorded()) + " are recorded." : "."));
    }
    if (!(time >= 0.0 && time <= last)) fail(i, "its time lies outside the run.");
    spikes.neurons[i] = static_cast<std::uint32_t>(raw.ids[i]);
    if (i > 0) {
      const double before = raw.times_ms[i - 1];
      ordered &= before < time || (before == time && raw.ids[i - 1] <= raw.ids[i]);
    }
  }
  spikes.times_ms = std::move(raw.times_ms);
  if (ordered) return spikes;

  std::vector<std::size_t> order(spikes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&spikes](std::size_t a, std::size_t b) {
    if (spikes.times_ms[a] != spikes.times_ms[b]) return spikes.times_ms[a] < spikes.times_ms[b];
    return spikes.neurons[a] < spikes.neurons[b];
  });
  SpikeList sorted;
  for (const std::size_t i : order) {
    sorted.times_ms.push_back(spikes.times_ms[i]);
    sorted.neurons.push_back(spikes.neurons[i]);
  }
  return sorted;
}

void load_spikes(const Report& report, Result& result) {
  std::vector<ResultPopulation*> recorded;
  std::vector<std::string> names;
  for (ResultPopulation& population : result.populations) {
    if (population.recorded() == 0 && population.size > 0) continue;
    recorded.push_back(&population);
    names.push_back(population.name);
  }
  if (holds(report, "spikes.h5")) {
    auto all = io::read_spikes_hdf5(verified(report, "spikes.h5"), names, kMostElements);
    for (std::size_t i = 0; i < names.size(); ++i) recorded[i]->spikes = checked(std::move(all[i]), *recorded[i], result);
  } else {
    for (ResultPopulation* population : recorded) {
      auto raw = io::read_spikes_npy(verified(report, spikes_npy(population->name)));
      population->spikes = checked(std::move(raw), *population, result);
    }
  }
}

void load_traces(const Report& report, Result& result) {
  const std::vector<std::string> names = io::trace_names(report.columns);
  const std::vector<std::string> files = io::trace_files(report.columns);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const io::TraceColumn& column = report.columns[i];
    const std::string npy = "traces_" + names[i] + ".npy";
    if (holds(report, files[i])) {
      Trace trace = io::read_trace_hdf5(verified(report, files[i]), column, kMostElements);
      // Samples are taken at whole steps; the file says so with first + k * interval.
      for (double& time : trace.times_ms) time = std::round(time / result.dt_ms) * result.dt_ms;
      result.traces.push_back(std::move(trace));
    } else if (holds(report, npy)) {
      (void)verified(report, npy);
      (void)verified(report, "traces_" + names[i] + "_times.npy");
      result.traces.push_back(io::read_trace_npy(result.folder, column, names[i]));
    }
  }
}

}  // namespace

const ResultPopulation* Result::find(const std::string& population) const noexcept {
  for (const ResultPopulation& candidate : populations) {
    if (candidate.name == population) return &candidate;
  }
  return nullptr;
}

bool Result::is_subset() const noexcept {
  return std::any_of(populations.begin(), populations.end(), [](const ResultPopulation& p) { return p.recorded() < p.size; });
}

bool holds(const Report& report, const std::string& file) {
  return std::find(report.files.begin(), report.files.end(), file) != report.files.end();
}

std::filesystem::path verified(const Report& report, const std::string& file) {
  const std::filesystem::path path = report.result.folder / file;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw InputError("cannot read " + path.string() + ": it is missing or not a regular file.");
  }
  const auto known = report.checksums.find(file);
  if (known == report.checksums.end() || io::file_checksum(path) != known->second) {
    throw InputError(
        "cannot read " + path.string() +
        ": it is damaged, truncated or from another run (its checksum is not the one in "
        "report.json).");
  }
  return path;
}

Result parse_report(const std::string& text, const std::string& name) {
  if (io::seal_of(text) != io::Seal::missing) io::require_seal(text, name);
  return ReportReader(name).read(text).result;
}

Report read_report(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw InputError("There is no result folder " + folder.string() + ".");
  }
  const std::filesystem::path file = folder / "report.json";
  if (!std::filesystem::exists(file, ignored)) {
    throw InputError("The folder " + folder.string() +
                     " holds no finished result: report.json is missing.");
  }
  const std::string text = io::read_file(file, kLongestReport);
  io::require_seal(text, file.string());
  Report report = ReportReader(file.string()).read(text);
  report.result.folder = folder;
  return report;
}

Result load_result(const std::filesystem::path& folder, const LoadOptions& options) {
  const Report report = read_report(folder);
  Result result = report.result;
  const auto& populations = result.populations;
  result.has_spikes = !populations.empty() &&
                      (holds(report, "spikes.h5") || std::any_of(populations.begin(), populations.end(), [&report](const auto& p) {
                         return holds(report, spikes_npy(p.name));
                       }));
  if (result.has_spikes && options.spikes) load_spikes(report, result);
  if (options.traces) load_traces(report, result);
  return result;
}

}  // namespace tessera
