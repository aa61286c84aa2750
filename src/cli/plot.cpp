// tessera plot: a result as SVG.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/values.hpp"
#include "network/select_populations.hpp"
#include "tessera/training_result.hpp"

namespace tessera::cli {
namespace {

enum Kind : std::size_t { kRaster, kRates, kIsi, kTrace, kWeights, kMap, kAreas };
const std::vector<std::string> kKinds = {"raster", "rates", "isi", "trace", "weights", "map", "areas"};

// An option that this kind of plot would ignore is refused.
void refuse_unused(const PlotArguments& arguments, std::size_t kind, Problems& problems) {
  const bool has_window = kind == kRaster || kind == kTrace;
  if (arguments.from && !has_window)
    problems.add("--from", "only raster and trace plots have a start.");
  if (arguments.duration && !has_window) {
    problems.add("--duration", "only raster and trace plots have a duration.");
  }
  if (!arguments.populations.empty() && kind != kRaster) {
    problems.add("--population", "only the raster plot takes populations.");
  }
  if (arguments.reference && kind != kRates) {
    problems.add("--reference", "only the rates plot shows a reference.");
  }
}

// Every projection of the result that is a map, under one another.
std::string draw_maps(const Result& result) {
  const std::vector<WeightRecord> records = load_weight_records(result.folder);
  std::vector<std::string> maps;
  std::string why;
  for (const WeightRecord& record : records) {
    if (record.info.recording.what != WeightRecording::What::all || !record.info.rewired) continue;
    try {
      maps.push_back(map_svg(map_statistics(result, record), record.info));
    } catch (const InputError& error) {
      why += std::string(why.empty() ? "" : " ") + error.what();
    }
  }
  if (!maps.empty()) return stacked_svg(maps);
  throw InputError(!why.empty() ? why
                                : "This result holds no map that forms: record all synapses of a projection with rewiring, --record "
                                  "weights:PROJECTION:all:INTERVAL.");
}

// The names that populations, areas and patterns stand for.
std::vector<std::string> selected(const std::vector<std::string>& texts, const Result& result) {
  std::vector<std::string> names, wanted;
  for (const ResultPopulation& population : result.populations) names.push_back(population.name);
  Problems problems;
  for (const std::string& text : texts) {
    const std::vector<std::size_t> places = select_populations(names, text);
    if (places.empty()) problems.add("--population " + text, not_selected(names, text));
    for (const std::size_t place : places) wanted.push_back(names[place]);
  }
  problems.raise();
  return wanted;
}

std::string draw(const PlotArguments& arguments, std::size_t kind, const Result& result,
                 std::optional<double> from_ms, std::optional<double> duration_ms) {
  if (kind == kRaster) {
    RasterOptions options;
    options.populations = selected(arguments.populations, result);
    options.start_ms = from_ms.value_or(options.start_ms);
    options.duration_ms = duration_ms.value_or(options.duration_ms);
    return raster_svg(result, options);
  }
  if (kind == kTrace) {
    TraceOptions options;
    options.start_ms = from_ms.value_or(options.start_ms);
    options.duration_ms = duration_ms.value_or(options.duration_ms);
    return trace_svg(result, options);
  }
  if (kind == kWeights) return weights_svg(load_weight_records(result.folder));
  if (kind == kMap) return draw_maps(result);
  if (kind == kAreas) return area_rates_svg(result);
  const StatisticsOptions window = default_window(result);
  if (kind == kIsi) return isi_svg(result, window);
  const std::vector<PopulationStatistics> statistics = result_statistics(result, window);
  if (!arguments.reference) return rates_svg(result, statistics);
  std::vector<std::string> names;
  for (const ResultPopulation& population : result.populations) names.push_back(population.name);
  const Reference reference = load_reference(*arguments.reference, names);
  return rates_svg(result, statistics, &reference);
}

// Plots of a training: a folder that is missing could hold one.
const std::vector<std::string> kTrainingKinds = {"loss", "activity", "confusion"};

// Reports a folder that is missing, or holds no report.
void require_result(const std::filesystem::path& folder, Problems& problems) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(folder / "report.json", ignored)) return;
  problems.add("RESULT", std::filesystem::is_directory(folder, ignored)
                             ? fmt::format("'{}' holds no finished result: report.json is missing.",
                                           folder.string())
                             : fmt::format("there is no result folder '{}'.", folder.string()));
}

// The kind, if it is one. Before a folder, or a report that cannot be read, is blamed, its kind is
// not: nobody knows what could be drawn of it.
std::optional<std::size_t> kind_of(const PlotArguments& arguments, Problems& problems) {
  std::vector<std::string> known = kKinds;
  const std::filesystem::path folder = *arguments.result;
  std::error_code ignored;
  const bool there = std::filesystem::exists(folder / "report.json", ignored);
  if (!there) known.insert(known.end(), kTrainingKinds.begin(), kTrainingKinds.end());
  const bool drawn = std::find(known.begin(), known.end(), *arguments.kind) != known.end();
  if (there && !drawn) (void)load_result(folder, {false, false});  // says what is wrong with it
  const auto choice = parse_choice(*arguments.kind, known, "KIND", problems);
  return choice && *choice < kKinds.size() ? choice : std::nullopt;
}

}  // namespace

int plot(const PlotArguments& arguments) {
  const std::string example = "tessera plot results/microcircuit raster -o raster.svg";
  Problems problems;
  require_given(arguments.result, "RESULT", example, problems);
  require_given(arguments.kind, "KIND", example, problems);
  if (arguments.result) require_result(*arguments.result, problems);
  if (arguments.result && training::is_training_result(*arguments.result)) {
    problems.raise();
    return plot_training(arguments);
  }
  std::optional<std::size_t> kind;
  std::optional<double> from_ms, duration_ms;
  if (arguments.kind && arguments.result) kind = kind_of(arguments, problems);
  if (kind) refuse_unused(arguments, *kind, problems);
  if (arguments.from) from_ms = parse_time_ms(*arguments.from, "--from", problems);
  if (arguments.duration) duration_ms = parse_time_ms(*arguments.duration, "--duration", problems);
  if (duration_ms && *duration_ms == 0.0) problems.add("--duration", "must be above 0 ms.");
  // The name must say SVG, so that a slip cannot replace a result's file.
  if (arguments.output && std::filesystem::path(*arguments.output).extension() != ".svg") {
    problems.add("--output", fmt::format("'{}' does not end in .svg.", *arguments.output));
  }
  problems.raise();

  const std::filesystem::path file =
      arguments.output ? std::filesystem::path(*arguments.output)
                       : std::filesystem::path(*arguments.result) / (kKinds[*kind] + ".svg");
  LoadOptions load;
  load.traces = *kind == kTrace;
  load.spikes = *kind != kWeights && *kind != kMap && *kind != kAreas;
  const Result result = load_result(*arguments.result, load);
  write_text_file(file, draw(arguments, *kind, result, from_ms, duration_ms));
  fmt::print("{}\n", printable(file.string()));
  return kOk;
}

}  // namespace tessera::cli
