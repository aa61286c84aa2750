// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/run_summary.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/printable.hpp"
#include "cli/silence.hpp"
#include "cli/substrate.hpp"
#include "cli/text.hpp"

namespace tessera::cli {
namespace {

std::string threads_text(const SimulationReport& report) {
  const std::string threads = counted(static_cast<std::uint64_t>(report.threads), "thread");
  if (report.ranks.ranks == 1) return threads;
  return fmt::format("{} with {}", counted(static_cast<std::uint64_t>(report.ranks.ranks), "rank"), threads);
}

// Over ranks: the mean, and the rank that took longest.
void show_phases(const SimulationReport& report) {
  const double all = report.run_seconds;
  const bool alone = report.ranks.ranks == 1;
  std::vector<std::string> header = {"phase", "seconds", "share"};
  if (!alone) header.insert(header.end(), {"least", "most", "of rank"});
  Table table(header);
  const auto row = [&](const char* name, double own, const OverRanks& ranks) {
    const double seconds = alone ? own : ranks.mean;
    std::vector<std::string> cells = {name, number_text(seconds, 3),
                                      all > 0.0 ? fmt::format("{:.1f} %", 100.0 * seconds / all) : "-"};
    if (!alone) {
      cells.push_back(number_text(ranks.least, 3));
      cells.push_back(number_text(ranks.most, 3));
      cells.push_back(std::to_string(ranks.rank_of_most));
    }
    table.row(cells);
  };
  const PhaseSeconds& phases = report.phases;
  const RanksReport& ranks = report.ranks;
  row("deliver", phases.deliver, ranks.deliver);
  row("update", phases.update, ranks.update);
  row("wait", phases.wait, ranks.wait);
  row("exchange", phases.exchange, ranks.exchange_phase);
  row("record", phases.record, ranks.record);
  table.row({"run in all", number_text(all, 3), all > 0.0 ? "100.0 %" : "-"});
  fmt::print("{}\n", table.text());
}

void show_ranks(const RanksReport& ranks) {
  if (ranks.ranks == 1) return;
  fmt::print("ranks             {} ({}), imbalance {:.2f}: rank {} is busy longest\n", ranks.ranks,
             to_string(ranks.placement), ranks.imbalance(), ranks.busy.rank_of_most);
  if (ranks.idle_ranks > 0) fmt::print("idle ranks        {} without neurons\n", ranks.idle_ranks);
  fmt::print("exchange          {} every {}; a rank sends {:.3g} messages and {:.3g} bytes per step\n",
             to_string(ranks.exchange), counted(static_cast<std::uint64_t>(ranks.remote_interval_steps), "step"),
             ranks.messages_per_step.mean, ranks.bytes_per_step.mean);
}

void show_populations(const RunSummary& summary) {
  Table table({"population", "neurons", "rate (Hz)", "CV"});
  for (const PopulationSummary& population : summary.populations) {
    table.row({population.name, grouped(population.size), number_text(population.rate_hz, 3),
               number_text(population.cv_isi, 3)});
  }
  fmt::print("{}\n", table.text());
}

// Whose spikes are in the files, where it is not all of them.
void show_recorded(const RunSummary& summary) {
  if (summary.recorded_neurons.empty()) return;
  std::uint64_t neurons = 0, populations = 0;
  for (const auto& [name, recorded] : summary.recorded_neurons) neurons += recorded, populations += recorded > 0 ? 1 : 0;
  fmt::print("recorded          spikes of {} in {} only; rates, CVs and the digest are of all\n", counted(neurons, "neuron"),
             counted(populations, "population"));
}

}  // namespace

void show_mixture(const Mixture& mixture) {
  if (!mixture.is_mixed()) return;
  fmt::print("mixed             {} with {} stored, {} with {} drawn\n", counted(mixture.stored_projections, "projection"),
             counted(mixture.stored_synapses, "synapse"), counted(mixture.drawn_projections, "projection"),
             counted(mixture.drawn_synapses, "synapse"));
}

void show_rounded_weights(const std::vector<RoundedWeights>& rounded) {
  for (const RoundedWeights& weights : rounded) {
    fmt::print("rounded weights   {}: mean |weight| is off by {:.3g} %; --precision exact keeps it\n",
               weights.name, 100.0 * weights.error);
  }
}

void show_plasticity(const Network& network) {
  std::map<std::string, std::pair<double, std::uint64_t>> by_rule;  // synapses, projections
  for (const Projection& p : network.projections) {
    if (!p.plasticity) continue;
    auto& [synapses, projections] = by_rule[p.plasticity->rule];
    synapses += expected_synapses(p, *network.find(p.source), *network.find(p.target));
    ++projections;
  }
  for (const auto& [rule, sum] : by_rule) {
    fmt::print("plastic           {} with {} in {}\n",
               counted(static_cast<std::uint64_t>(sum.first + 0.5), "synapse"), rule,
               counted(sum.second, "projection"));
  }
}

void show_rewiring(const SimulationReport& report) {
  for (const RewiringReport& r : report.rewiring) {
    fmt::print("rewiring          {} ({}): {} formed, {} eliminated, {} now\n", r.projection, r.rule, grouped(r.formed), grouped(r.eliminated),
               counted(r.synapses, "synapse"));
    if (r.existing + r.invalid + r.at_limit == 0) continue;
    fmt::print("  not carried out {} proposals for pairs that existed, {} that were invalid, {} beyond max_indegree\n", grouped(r.existing),
               grouped(r.invalid), grouped(r.at_limit));
  }
}

void show_run_summary(const RunSummary& summary, const Network& network,
                      const NeuronCatalogue& models, const std::filesystem::path& folder) {
  const SimulationReport& report = summary.simulation;
  const double simulated_ms = report.model_time_ms - summary.start_ms;
  fmt::print("{}: {}, {}, {} connectivity, {}, {}, seed {}\n\n", summary.model,
             counted(report.counts.neurons, "neuron"),
             synapses_text(report.counts.synapses, report.counts.synapses_expected),
             to_string(report.connectivity, report.mixture),
             threads_text(report), counted(static_cast<std::uint64_t>(report.tiles), "tile"),
             summary.seed);
  if (report.device != "cpu") {
    fmt::print("device            {}, {} of its memory\n", report.device, bytes_text(report.device_bytes));
  }
  show_phases(report);
  show_populations(summary);
  show_ranks(report.ranks);
  fmt::print("construction      {:.2f} s\n", report.construction_seconds);
  if (simulated_ms > 0.0) {
    fmt::print("real-time factor  {:.3f} ({:.2f} s for {} of model time)\n",
               1000.0 * report.run_seconds / simulated_ms, report.run_seconds,
               time_text(simulated_ms));
  }
  fmt::print("memory            {} at most ({} planned), connectivity {}\n",
             bytes_text(peak_resident_bytes()), bytes_text(report.planned_bytes),
             bytes_text(report.synapse_bytes));
  fmt::print("spikes            {}, digest {}\n", grouped(report.counts.spikes),
             digest_text(report.digest));
  show_recorded(summary);
  show_mixture(report.mixture);
  if (summary.turns) fmt::print("{}", turns_text(summary.substrate, *summary.turns));
  show_plasticity(network);
  show_rewiring(report);
  const std::string silent = silence_sentence(summary, network, models);
  if (!silent.empty()) fmt::print("silent            {}\n", silent);
  show_rounded_weights(report.rounded_weights);
  if (summary.interrupted) {
    fmt::print("interrupted       at {}; the result holds everything up to then\n",
               time_text(report.model_time_ms));
  }
  fmt::print("result            {}\n", printable(folder.string()));
}

}  // namespace tessera::cli
