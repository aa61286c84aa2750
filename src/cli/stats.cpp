// tessera stats: the statistics of a result, alone or beside a reference.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"
#include "tessera/analysis.hpp"

namespace tessera::cli {
namespace {

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

void show(const Verdict& verdict) {
  Table table({"population", "measure", "mean", "reference", "KS", "allowed", "verdict"}, 2);
  for (const Comparison& comparison : verdict.comparisons) {
    const int decimals = comparison.measure == Measure::correlation ? 4 : 3;
    table.row({comparison.population, to_string(comparison.measure),
               number_text(comparison.mean, decimals),
               number_text(comparison.reference_mean, decimals),
               number_text(comparison.distance, 3), number_text(comparison.bar, 3),
               !comparison.compared ? "not compared"
               : comparison.passes  ? "agrees"
                                    : "DIFFERS"});
  }
  fmt::print("{}\n", table.text());
  for (const std::string& note : verdict.notes) fmt::print("Note: {}\n", note);
  fmt::print("Verdict: {} ({} of {} comparisons within the reference's spread between seeds)\n",
             verdict.passes() ? "agrees with the reference" : "DIFFERS from the reference",
             verdict.passed, verdict.compared);
}

}  // namespace

int stats(const StatsArguments& arguments) {
  Problems problems;
  require_given(arguments.result, "RESULT", "tessera stats results/microcircuit", problems);
  problems.raise();
  LoadOptions load;
  load.traces = false;
  const Result result = load_result(*arguments.result, load);
  if (!result.has_spikes && !arguments.reference) {
    show_reported(result);
    return kOk;
  }
  const StatisticsOptions window = default_window(result);
  const std::vector<PopulationStatistics> statistics = result_statistics(result, window);
  std::optional<Verdict> verdict;
  if (arguments.reference) {
    std::vector<std::string> names;
    for (const ResultPopulation& population : result.populations) names.push_back(population.name);
    verdict = compare(statistics, load_reference(*arguments.reference, names), window);
  }
  fmt::print("{}, seed {}, {} to {}, digest {}\n\n", result.model, result.seed,
             time_text(window.start_ms), time_text(window.end_ms), result.digest);
  if (!verdict) {
    show(statistics);
    return kOk;
  }
  show(*verdict);
  return verdict->passes() ? kOk : kRunFailed;
}

}  // namespace tessera::cli
