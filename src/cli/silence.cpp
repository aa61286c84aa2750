// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/silence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "cli/text.hpp"
#include "tessera/drive.hpp"

namespace tessera::cli {
namespace {

enum Reason { source, undriven, unreached, constant, weak, inhibited, kReasons };

double start_of_statistics(const RunSummary& summary) {
  return std::max(summary.discard_ms, summary.start_ms);
}

// Whether somebody who fires projects onto the population.
bool hears_others(const std::string& name, const RunSummary& summary, const Network& network) {
  return std::any_of(
      network.projections.begin(), network.projections.end(), [&](const Projection& p) {
        const auto is_source = [&](const PopulationSummary& s) { return s.name == p.source; };
        const auto& all = summary.populations;
        const auto found = std::find_if(all.begin(), all.end(), is_source);
        return p.target == name && found != all.end() && found->rate_hz > 0.0;
      });
}

Reason reason_of(const std::string& name, const RunSummary& summary, const Network& network,
                 const NeuronCatalogue& models) {
  const Population& population = *network.find(name);
  if (population.kind != Population::Kind::neurons) return source;
  const OutsideDrive drive = outside_drive(
      network, population, models, start_of_statistics(summary), summary.simulation.model_time_ms);
  if (drive.mean_reaches_threshold) return inhibited;
  switch (drive.kind) {
    case OutsideDrive::Kind::none:
      return hears_others(name, summary, network) ? unreached : undriven;
    case OutsideDrive::Kind::constant:
      return constant;
    case OutsideDrive::Kind::random:
      break;
  }
  return weak;
}

std::string sentence(Reason reason) {
  switch (reason) {
    case source:
      return "a source without a spike in this time: look at its rate, start and duration";
    case undriven:
      return "nothing from outside drives them: give them a stimulus";
    case unreached:
      return "no input from outside, and what other populations send does not reach the threshold";
    case constant:
      return "their constant input stays below the threshold: make it stronger, or random "
             "(Poisson)";
    case weak:
      return "the mean of their input from outside stays below the threshold: make it stronger";
    case inhibited:
      return "their input from outside would do alone, so inhibition holds them down, or the time "
             "was too short";
    case kReasons:
      break;
  }
  return "";
}

// Whether a population fired before the time of the statistics.
bool fired_before(const std::string& name, const RunSummary& summary) {
  const auto& all = summary.simulation.populations;
  return std::any_of(all.begin(), all.end(),
                     [&](const PopulationReport& p) { return p.name == name && p.spikes > 0; });
}

// The first few names: a network may have thousands of populations.
std::string named(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  if (names.size() <= kMost) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + kMost, ", "),
                     names.size() - kMost);
}

// A reason takes the time of ten thousand steps of one neuron: of thousands of populations some are asked.
constexpr std::size_t kMostAsked = 30;

// Names and the most frequent reason of silent populations; "" when there are none.
std::string clause(const std::vector<std::string>& names, const RunSummary& summary, const Network& network,
                   const NeuronCatalogue& models) {
  if (names.empty()) return "";
  std::array<int, kReasons> votes{};
  int asked = 0;
  bool died_out = false;
  const std::size_t stride = (names.size() + kMostAsked - 1) / kMostAsked;
  for (std::size_t i = 0; i < names.size(); i += stride, ++asked) {
    ++votes[reason_of(names[i], summary, network, models)];
    died_out |= fired_before(names[i], summary);
  }
  // Who has no input from outside waits for the others: the reason is theirs, if there is one.
  if (votes[undriven] < asked) votes[undriven] = 0;
  const auto most = std::max_element(votes.begin(), votes.end());
  const std::string before = died_out ? fmt::format("fired in the first {} at most; ",
                                                    time_text(start_of_statistics(summary)))
                                      : "";
  return fmt::format("{} ({} of {}): {}{}", named(names), names.size(),
                     counted(summary.populations.size(), "population"), before,
                     sentence(static_cast<Reason>(most - votes.begin())));
}

}  // namespace

std::string silence_sentence(const RunSummary& summary, const Network& network,
                             const NeuronCatalogue& models) {
  std::set<std::string> all_sources;
  for (const Population& population : network.populations) {
    if (population.kind != Population::Kind::neurons) all_sources.insert(population.name);
  }
  std::vector<std::string> sources, neurons;  // what holds for the one never holds for the other
  for (const PopulationSummary& population : summary.populations) {
    if (population.rate_hz != 0.0) continue;  // NaN: nothing of the window was simulated
    (all_sources.contains(population.name) ? sources : neurons).push_back(population.name);
  }
  const std::string of_sources = clause(sources, summary, network, models);
  const std::string of_neurons = clause(neurons, summary, network, models);
  return of_sources + (of_sources.empty() || of_neurons.empty() ? "" : "; ") + of_neurons;
}

}  // namespace tessera::cli
