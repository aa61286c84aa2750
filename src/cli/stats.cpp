// tessera stats: the statistics of a result, alone or beside a reference.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"
#include "files/file.hpp"
#include "tessera/analysis.hpp"

namespace tessera::cli {
namespace {

constexpr std::uint64_t kMostCorrelated = 5000;  // 200 MB of products

// A run that recorded no spikes has only the means that its report holds.
void show_reported(const Result& result) {
  fmt::print("This run recorded no spikes; these are the means of its report.\n\n");
  Table table({"population", "neurons", "rate (Hz)", "CV"});
  for (const ResultPopulation& population : result.populations) {
    table.row({population.name, grouped(population.size), number_text(population.rate_hz, 3),
               number_text(population.cv_isi, 3)});
  }
  fmt::print("{}", table.text());
}

void show(const std::vector<PopulationStatistics>& statistics) {
  Table table({"population", "neurons", "rate (Hz)", "CV", "correlation"});
  for (const PopulationStatistics& population : statistics) {
    table.row({population.name, grouped(population.rates_hz.size()),
               number_text(population.mean_rate_hz, 3), number_text(population.mean_cv, 3),
               number_text(population.mean_correlation, 4)});
  }
  fmt::print("{}", table.text());
}

// Spikes of some neurons only: what is of all comes from the report.
void show_subset(const Result& result, const std::vector<PopulationStatistics>& statistics) {
  fmt::print("Spikes of some neurons only were recorded. The first rate is the report's, of all neurons; what follows is of the recorded "
             "ones.\n\n");
  Table table({"population", "neurons", "rate (Hz)", "recorded", "rate (Hz)", "CV", "correlation"});
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    const ResultPopulation& population = result.populations[i];
    table.row({population.name, grouped(population.size), number_text(population.rate_hz, 3), grouped(population.recorded()),
               number_text(statistics[i].mean_rate_hz, 3), number_text(statistics[i].mean_cv, 3),
               number_text(statistics[i].mean_correlation, 4)});
  }
  fmt::print("{}", table.text());
}

std::string verdict_text(const Comparison& comparison) {
  if (!comparison.compared) return "not compared";
  return comparison.passes ? "agrees" : "DIFFERS";
}

// Mean and width against bars from many seeds.
void show_calibrated(const std::vector<Comparison>& comparisons) {
  Table table({"population", "measure", "mean", "reference", "width", "reference", "off", "KS", "verdict"}, 2);
  for (const Comparison& comparison : comparisons) {
    const int decimals = comparison.measure == Measure::correlation ? 4 : 3;
    table.row({comparison.population, to_string(comparison.measure), number_text(comparison.mean, decimals),
               number_text(comparison.reference_mean, decimals), number_text(comparison.width, decimals),
               number_text(comparison.reference_width, decimals), number_text(comparison.deviation, 2),
               number_text(comparison.distance, 3), verdict_text(comparison)});
  }
  fmt::print("{}\noff: the deviation of mean or width, whichever is larger, as a part of what is allowed\n",
             table.text());
}

void show_distances(const std::vector<Comparison>& comparisons) {
  Table table({"population", "measure", "mean", "reference", "KS", "allowed", "verdict"}, 2);
  for (const Comparison& comparison : comparisons) {
    const int decimals = comparison.measure == Measure::correlation ? 4 : 3;
    table.row({comparison.population, to_string(comparison.measure), number_text(comparison.mean, decimals),
               number_text(comparison.reference_mean, decimals), number_text(comparison.distance, 3),
               number_text(comparison.bar, 3), verdict_text(comparison)});
  }
  fmt::print("{}\n", table.text());
}

void show(const Verdict& verdict) {
  const auto& comparisons = verdict.comparisons;
  const bool calibrated = std::any_of(comparisons.begin(), comparisons.end(),
                                      [](const Comparison& comparison) { return comparison.calibrated; });
  calibrated ? show_calibrated(comparisons) : show_distances(comparisons);
  for (const std::string& note : verdict.notes) fmt::print("Note: {}\n", note);
  fmt::print("Verdict: {} ({} of {} comparisons within {})\n",
             verdict.passes() ? "agrees with the reference" : "DIFFERS from the reference", verdict.passed,
             verdict.compared, calibrated ? "their bars" : "the reference's spread between seeds");
}

// The window of a result and what the command line says about correlations.
StatisticsOptions options_of(const Result& result, const StatsArguments& arguments, Problems& problems) {
  StatisticsOptions options = default_window(result);
  if (arguments.correlation_neurons) {
    const auto neurons =
        parse_whole(*arguments.correlation_neurons, 0, kMostCorrelated, "--correlation-neurons", problems);
    options.correlation_neurons = neurons.value_or(0);
  }
  if (arguments.subsample_seed) {
    const auto seed = parse_whole(*arguments.subsample_seed, 0, std::numeric_limits<std::uint64_t>::max(),
                                  "--subsample-seed", problems);
    options.subsample_seed = seed.value_or(0);
  }
  return options;
}

}  // namespace

int stats(const StatsArguments& arguments) {
  Problems problems;
  require_given(arguments.result, "RESULT", "tessera stats results/microcircuit", problems);
  problems.raise();
  LoadOptions load;
  load.traces = false;
  const Result result = load_result(*arguments.result, load);
  const StatisticsOptions window = options_of(result, arguments, problems);
  problems.raise();
  if (!result.has_spikes && !arguments.reference && !arguments.json) {
    show_reported(result);
    return kOk;
  }
  const std::vector<PopulationStatistics> statistics = result_statistics(result, window);
  if (arguments.json) io::write_file(*arguments.json, statistics_json(statistics, window));
  std::optional<Verdict> verdict;
  if (arguments.reference) {
    std::vector<std::string> names;
    for (const ResultPopulation& population : result.populations) names.push_back(population.name);
    verdict = compare(statistics, load_reference(*arguments.reference, names), window);
  }
  fmt::print("{}, seed {}, {} to {}, digest {}\n\n", printable(result.model), result.seed,
             time_text(window.start_ms), time_text(window.end_ms), result.digest);
  if (!verdict) {
    result.is_subset() ? show_subset(result, statistics) : show(statistics);
    return kOk;
  }
  if (result.is_subset()) verdict->notes.push_back("Spikes of some neurons only were recorded: what is compared is of these.");
  show(*verdict);
  return verdict->passes() ? kOk : kRunFailed;
}

}  // namespace tessera::cli
