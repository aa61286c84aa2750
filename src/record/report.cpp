// report.json: what was run, on what, how fast, and what came out.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "files/file.hpp"
#include "files/sealed_json.hpp"
#include "record/machine_info.hpp"
#include "tessera/result.hpp"
#include "tessera/simd_control.hpp"
#include "version.hpp"

namespace tessera {
namespace {

using nlohmann::ordered_json;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

ordered_json seconds(double value) {
  ordered_json object;
  object["seconds"] = number(value);
  return object;
}

ordered_json phases_of(const PhaseSeconds& phases) {
  return {{"deliver", seconds(phases.deliver)},
          {"update", seconds(phases.update)},
          {"wait", seconds(phases.wait)},
          {"exchange", seconds(phases.exchange)},
          {"record", seconds(phases.record)}};
}

ordered_json counts_of(const WorkCounters& counts) {
  return {{"neurons", counts.neurons},
          {"synapses", counts.synapses},
          {"synapses_expected", counts.synapses_expected},
          {"spikes", counts.spikes},
          {"synaptic_events", counts.synaptic_events},
          {"row_visits", counts.row_visits},
          {"exchanged_messages", counts.exchanged_messages},
          {"exchanged_bytes", counts.exchanged_bytes}};
}

ordered_json rounded_weights_json(const std::vector<RoundedWeights>& rounded) {
  ordered_json list = ordered_json::array();
  for (const RoundedWeights& weights : rounded) {
    list.push_back({{"name", weights.name}, {"relative_error", number(weights.error)}});
  }
  return list;
}

// A figure of all ranks, and which rank has the most of it.
ordered_json over_ranks(const OverRanks& figure) {
  return {{"min", number(figure.least)},
          {"mean", number(figure.mean)},
          {"max", number(figure.most)},
          {"arg_max", figure.rank_of_most}};
}

ordered_json ranks_json(const RanksReport& ranks) {
  return {{"placement", to_string(ranks.placement)},
          {"exchange", to_string(ranks.exchange)},
          {"local_interval_steps", ranks.local_interval_steps},
          {"remote_interval_steps", ranks.remote_interval_steps},
          {"idle_ranks", ranks.idle_ranks},
          {"imbalance", number(ranks.imbalance())},
          {"phases",
           {{"deliver", over_ranks(ranks.deliver)},
            {"update", over_ranks(ranks.update)},
            {"wait", over_ranks(ranks.wait)},
            {"exchange", over_ranks(ranks.exchange_phase)},
            {"record", over_ranks(ranks.record)}}},
          {"neurons", over_ranks(ranks.neurons)},
          {"synapses", over_ranks(ranks.synapses)},
          {"synaptic_events", over_ranks(ranks.synaptic_events)},
          {"messages_per_step", over_ranks(ranks.messages_per_step)},
          {"bytes_per_step", over_ranks(ranks.bytes_per_step)},
          {"table_bytes", over_ranks(ranks.table_bytes)},
          {"construction_messages", ranks.construction_messages},
          {"check_messages", ranks.check_messages}};
}

// Edges of the playback: run 0 is the host.
ordered_json turns_json(const std::string& machine, const TurnsReport& turns) {
  ordered_json parts = ordered_json::array(), edges = ordered_json::array();
  for (const PartMemory& part : turns.parts) parts.push_back({{"synapse_bytes", part.synapses}, {"neuron_bytes", part.neurons}});
  for (const PlaybackEdge& edge : turns.edges) {
    edges.push_back({{"from", edge.from}, {"to", edge.to}, {"events", edge.events}, {"played", edge.played},
                     {"dropped", edge.dropped}, {"late", edge.late}});
  }
  return {{"machine", machine},
          {"runs", turns.runs},
          {"rounds", turns.rounds},
          {"chips", turns.chips},
          {"turns", turns.turns},
          {"lock_step_parts", turns.lock_step_parts},
          {"turn_ms", number(turns.turn_ms)},
          {"recorded_spikes", turns.recorded_spikes},
          {"record_bytes", turns.record_bytes},
          {"largest_part_bytes", turns.largest_part_bytes},
          {"all_parts_bytes", turns.all_parts_bytes},
          {"peak_bytes", turns.peak_bytes},
          {"saved_bytes", turns.saved_bytes},
          {"parked_bytes", turns.parked_bytes},
          {"parts", std::move(parts)},
          {"unrecorded", turns.unrecorded},
          {"edges", std::move(edges)}};
}

ordered_json mixture_json(const Mixture& mixture) {
  return {{"stored", {{"projections", mixture.stored_projections}, {"synapses", mixture.stored_synapses}}},
          {"drawn", {{"projections", mixture.drawn_projections}, {"synapses", mixture.drawn_synapses}}}};
}

ordered_json machine_of(const MachineInfo& machine) {
  return {{"processor", machine.processor},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes}};
}

// The counts of a simulation give rates over the whole model time.
std::vector<PopulationSummary> populations_of(const RunSummary& summary) {
  if (!summary.populations.empty()) return summary.populations;
  std::vector<PopulationSummary> populations;
  for (const PopulationReport& report : summary.simulation.populations) {
    const double neuron_seconds = report.size * summary.simulation.model_time_ms / 1000.0;
    const double rate =
        neuron_seconds > 0.0 ? static_cast<double>(report.spikes) / neuron_seconds : kUnknown;
    populations.push_back({report.name, report.size, false, rate, kUnknown});
  }
  return populations;
}

ordered_json populations_json(const RunSummary& summary) {
  ordered_json list = ordered_json::array();
  for (const PopulationSummary& population : populations_of(summary)) {
    ordered_json entry = {{"name", population.name},
                          {"size", population.size},
                          {"inhibitory", population.inhibitory},
                          {"rate_hz", number(population.rate_hz)},
                          {"cv_isi", number(population.cv_isi)}};
    for (const PopulationReport& report : summary.simulation.populations) {
      if (report.name == population.name) entry["spikes"] = report.spikes;
    }
    if (const auto recorded = summary.recorded_neurons.find(population.name); recorded != summary.recorded_neurons.end()) {
      entry["recorded_neurons"] = recorded->second;
    }
    if (const auto grid = summary.grids.find(population.name); grid != summary.grids.end()) {
      entry["grid"] = {{"columns", grid->second.columns},
                       {"extent_x_mm", number(grid->second.extent_x_mm)},
                       {"extent_y_mm", number(grid->second.extent_y_mm)},
                       {"periodic", grid->second.periodic}};
    }
    list.push_back(std::move(entry));
  }
  return list;
}

ordered_json recorders_json(const RunSummary& summary) {
  ordered_json list = ordered_json::array();
  for (const StateRecorder& recorder : summary.recorders) {
    list.push_back({{"population", recorder.population},
                    {"variable", recorder.variable},
                    {"neurons", recorder.count},
                    {"interval_ms", number(recorder.interval_ms)}});
  }
  return list;
}

ordered_json weight_recorders_json(const RunSummary& summary) {
  using What = WeightRecording::What;
  ordered_json list = ordered_json::array();
  for (const WeightRecordInfo& info : summary.weights) {
    const What what = info.recording.what;
    list.push_back({{"projection", info.recording.projection},
                    {"what", what == What::all ? "all" : what == What::sample ? "sample" : "histogram"},
                    {"count", what == What::all ? 0 : info.recording.count},
                    {"interval_ms", number(info.recording.interval_ms)},
                    {"source", info.source},
                    {"target", info.target},
                    {"unit", info.unit},
                    {"rewired", info.rewired}});
  }
  return list;
}

// Parameters that are not there have the rule's defaults.
ordered_json plasticity_json(const RunSummary& summary) {
  ordered_json list = ordered_json::array();
  for (const auto& [projection, plasticity] : summary.plasticity) {
    ordered_json parameters = ordered_json::object();
    for (const auto& [name, value] : plasticity.parameters) parameters[name] = number(value);
    ordered_json entry = {{"projection", projection},
                          {"rule", plasticity.rule},
                          {"axonal_delay_ms", number(plasticity.axonal_delay_ms)},
                          {"parameters", std::move(parameters)}};
    if (!plasticity.modulator.empty()) {
      entry["modulator"] = plasticity.modulator;
      entry["modulator_delay_ms"] = number(plasticity.modulator_delay_ms);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

ordered_json rewiring_json(const SimulationReport& run) {
  ordered_json list = ordered_json::array();
  for (const RewiringReport& r : run.rewiring) {
    list.push_back({{"projection", r.projection}, {"rule", r.rule}, {"synapses", r.synapses}, {"formed", r.formed},
                    {"eliminated", r.eliminated}, {"refused_existing", r.existing}, {"refused_invalid", r.invalid},
                    {"refused_at_limit", r.at_limit}});
  }
  return list;
}

ordered_json workers_json(const std::vector<PhaseSeconds>& workers) {
  ordered_json list = ordered_json::array();
  for (const PhaseSeconds& worker : workers) list.push_back(phases_of(worker));
  return list;
}

ordered_json parameters_json(const std::map<std::string, double>& parameters,
                             const std::map<std::string, std::string>& choices) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : parameters) object[name] = number(value);
  for (const auto& [name, choice] : choices) object[name] = choice;
  return object;
}

// Names that the report in this folder lists, if there is a whole one.
std::vector<std::string> listed_files(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(folder / "report.json", ignored)) return files;
  try {
    const std::string text = io::read_file(folder / "report.json", 1 << 24);
    if (io::seal_of(text) != io::Seal::intact) return files;
    const auto old = nlohmann::json::parse(text, nullptr, false);
    if (!old.is_object() || !old.contains("files") || !old["files"].is_array()) return files;
    for (const auto& name : old["files"]) {
      if (name.is_string()) files.push_back(name.get<std::string>());
    }
  } catch (const std::exception&) {
    files.clear();  // an unreadable old report names no files
  }
  return files;
}

bool is_plain_result_file(const std::string& name) {
  const bool known = name.starts_with("spikes") || name.starts_with("traces") || name.starts_with("edges") || name.starts_with("weights");
  return known && name.find('/') == std::string::npos;
}

}  // namespace

std::string digest_text(std::uint64_t digest) { return fmt::format("{:016x}", digest); }

RunSummary summarise(const Network& network, const SimulationOptions& options,
                     const SimulationReport& report) {
  RunSummary summary;
  summary.simulation = report;
  summary.model = network.name;
  summary.seed = options.seed;
  summary.dt_ms = network.dt_ms;
  summary.discard_ms = network.discard_ms;
  summary.group_size = options.group_size;
  summary.count_table = options.count_table;
  summary.precision = options.precision;
  summary.simd_target = simd_target();
  summary.parameters = network.parameters;
  summary.choices = network.choices;
  summary.recorders = network.recorders;
  for (const Projection& p : network.projections) {
    if (p.plasticity) summary.plasticity.emplace_back(p.name, *p.plasticity);
  }
  for (const Population& p : network.populations) {
    if (p.grid_columns > 0) summary.grids[p.name] = {p.grid_columns, p.extent_mm[0], p.extent_mm[1], p.periodic};
  }
  if (!network.spike_recorders.empty()) {
    const std::vector<std::uint32_t> recorded = recorded_neurons(network);
    for (std::size_t p = 0; p < recorded.size(); ++p) summary.recorded_neurons[network.populations[p].name] = recorded[p];
  }
  summary.populations = populations_of(summary);
  for (PopulationSummary& population : summary.populations) {
    const Population* described = network.find(population.name);
    if (described != nullptr) population.inhibitory = described->inhibitory;
  }
  return summary;
}

namespace {

ordered_json report_object(const RunSummary& summary) {
  const SimulationReport& run = summary.simulation;
  const double run_model_ms = run.model_time_ms - summary.start_ms;
  const double real_time_factor =
      run_model_ms > 0.0 ? run.run_seconds * 1000.0 / run_model_ms : kUnknown;
  ordered_json report = {{"model", summary.model},
                         {"seed", summary.seed},
                         {"dt_ms", number(summary.dt_ms)},
                         {"model_time_ms", number(run.model_time_ms)},
                         {"start_ms", number(summary.start_ms)},
                         {"discard_ms", number(summary.discard_ms)},
                         {"interrupted", summary.interrupted},
                         {"digest", digest_text(run.digest)},
                         {"connectivity", to_string(run.connectivity, run.mixture)},
                         {"precision", to_string(summary.precision)},
                         {"device", run.device},
                         {"threads", run.threads},
                         {"ranks", run.ranks.ranks},
                         {"tiles", run.tiles},
                         {"group_size", summary.group_size},
                         {"count_table", summary.count_table},
                         {"simd_target", summary.simd_target},
                         {"real_time_factor", number(real_time_factor)},
                         {"construction_seconds", number(run.construction_seconds)},
                         {"run_seconds", number(run.run_seconds)},
                         {"phases", phases_of(run.phases)},
                         {"workers", workers_json(run.workers)},
                         {"memory",
                          {{"peak_resident_bytes", peak_resident_bytes()},
                           {"synapse_bytes", run.synapse_bytes},
                           {"planned_bytes", run.planned_bytes}}},
                         {"counts", counts_of(run.counts)},
                         {"rounded_weights", rounded_weights_json(run.rounded_weights)},
                         {"populations", populations_json(summary)},
                         {"parameters", parameters_json(summary.parameters, summary.choices)},
                         {"recorders", recorders_json(summary)},
                         {"weight_recorders", weight_recorders_json(summary)},
                         {"plasticity", plasticity_json(summary)},
                         {"rewiring", rewiring_json(run)},
                         {"rewiring_seconds", run.rewiring_seconds},
                         {"files", summary.files},
                         {"machine", machine_of(this_machine())},
                         {"version", kVersion},
                         {"commit", kCommit},
                         {"compiler", kCompiler},
                         {"build_type", kBuildType}};
  if (run.mixture.is_mixed()) report["mixture"] = mixture_json(run.mixture);
  if (run.ranks.ranks > 1) report["over_ranks"] = ranks_json(run.ranks);
  if (summary.turns) report["in_parts"] = turns_json(summary.substrate, *summary.turns);
  return report;
}

// Names come from users: bytes that are no UTF-8 must not stop a report from being written.
std::string text_of(const ordered_json& report) {
  return report.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string report_json(const RunSummary& summary) { return text_of(report_object(summary)); }

void write_report(const std::filesystem::path& folder, const RunSummary& summary) {
  const std::vector<std::string> before = listed_files(folder);
  ordered_json report = report_object(summary);
  // A reader tells damaged files, and files of another run, before it looks into them.
  report["checksums"] = ordered_json::object();
  for (const std::string& name : summary.files) {
    report["checksums"][name] = io::file_checksum(folder / name);
  }
  io::write_file(folder / "report.json", io::sealed(text_of(report)));
  // Files of the result that this one replaces would be taken for its own.
  for (const std::string& name : before) {
    const bool kept =
        std::find(summary.files.begin(), summary.files.end(), name) != summary.files.end();
    std::error_code ignored;
    if (!kept && is_plain_result_file(name)) std::filesystem::remove(folder / name, ignored);
  }
}

void write_text_file(const std::filesystem::path& file, const std::string& text) {
  io::write_file(file, text);
}

}  // namespace tessera
