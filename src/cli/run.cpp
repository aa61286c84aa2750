// tessera run: simulate a model, record, report.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>

#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "cli/output_folder.hpp"
#include "cli/progress.hpp"
#include "cli/ranks.hpp"
#include "cli/run_settings.hpp"
#include "cli/run_summary.hpp"
#include "cli/text.hpp"
#include "tessera/analysis.hpp"
#include "tessera/result.hpp"
#include "tessera/simd_control.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera::cli {
namespace {

bool interrupted(const RunSettings& settings, const SimulationReport& report) {
  return report.model_time_ms < settings.end_ms - 0.5 * settings.network.dt_ms;
}

// Everything that watches a run, and the files it leaves.
class Recording {
 public:
  Recording(const RunSettings& settings, const NeuronCatalogue& models, ProgressDisplay& progress)
      : settings_(settings), models_(models), activity_(settings.network, settings.discard_ms) {
    if (settings.record_spikes) spikes_.emplace(settings.out, settings.network);
    if (!settings.network.recorders.empty()) traces_.emplace(settings.out, settings.network, models);
    observers_.add(progress);
    observers_.add(activity_);
    if (spikes_) observers_.add(*spikes_);
    if (traces_) observers_.add(*traces_);
  }

  [[nodiscard]] RunObserver& observer() { return observers_; }

  /// Some synapses of a plastic projection, by its place among these.
  void add(std::size_t projection, std::span<const ConnectivityRule::Synapse> synapses) {
    if (!synapses_) synapses_.emplace(settings_.out, settings_.network, models_);
    synapses_->add(projection, synapses);
  }

  /// Gives the files their names and writes the report.
  RunSummary finish(const SimulationReport& report, double start_ms, const WeightRecorder& weights,
                    const std::vector<std::string>& weight_files) {
    RunSummary summary = complete(report, start_ms);
    summary.files.insert(summary.files.end(), weight_files.begin(), weight_files.end());
    summary.weights = weights.infos();
    write_report(settings_.out, summary);
    return summary;
  }

  /// The same of a run on a machine.
  RunSummary finish(const PartitionedSimulation& simulation) {
    RunSummary summary = complete(simulation.report(), 0.0);
    summary.substrate = settings_.parts->machine.name;
    summary.turns = simulation.turns();
    write_report(settings_.out, summary);
    return summary;
  }

 private:
  RunSummary complete(const SimulationReport& report, double start_ms) {
    RunSummary summary = summarise(settings_.network, settings_.options, report);
    summary.start_ms = start_ms;
    summary.discard_ms = std::min(settings_.discard_ms, report.model_time_ms);
    summary.interrupted = interrupted(settings_, report);
    summary.simd_target = simd_target();
    summary.populations = activity_.summaries(report.model_time_ms, start_ms);
    const auto keep = [&summary](const std::vector<std::string>& files) {
      summary.files.insert(summary.files.end(), files.begin(), files.end());
    };
    if (spikes_) keep(spikes_->finish());
    if (traces_) keep(traces_->finish());
    if (synapses_) keep(synapses_->finish());
    return summary;
  }

  const RunSettings& settings_;
  const NeuronCatalogue& models_;
  ActivityStatistics activity_;
  std::optional<SpikeRecorder> spikes_;
  std::optional<TraceRecorder> traces_;
  std::optional<SynapseRecorder> synapses_;
  ObserverList observers_;
};

constexpr double kWorthSaying = 0.5;  // seconds of construction

std::string construction_sentence(const Plan& plan) {
  return fmt::format("building connectivity: {}, {}, about {:.1f} s",
                     synapses_text(plan.synapses, plan.synapses_expected), to_string(plan.connectivity, plan.mixture),
                     plan.construction_seconds);
}

// What the plan has to say about a run that is about to begin.
void show_notes(const Plan& plan) {
  for (const std::string& note : plan.notes) fmt::print(stderr, "tessera: note: {}\n", note);
}

// Model time now, from the step, which is exact.
double now_ms(const Simulation& simulation, const Network& network) {
  return static_cast<double>(simulation.step()) * network.dt_ms;
}

// Runs to the end, or to where a rank noticed Ctrl-C, with a checkpoint at every multiple of the
// interval, and weights where they are due. All ranks reach the same step.
void advance(Simulation& simulation, const RunSettings& settings, RunObserver& observer, WeightRecorder& weights) {
  const double dt_ms = settings.network.dt_ms;
  const auto steps_of = [dt_ms](double ms) {
    return static_cast<std::int64_t>(std::llround(ms / dt_ms));
  };
  const std::int64_t end = steps_of(settings.end_ms);
  const std::int64_t interval =
      settings.checkpoint_every_ms ? steps_of(*settings.checkpoint_every_ms) : 0;
  bool stopped = false;
  weights.record(simulation);
  while (simulation.step() < end && !stopped) {
    const std::int64_t here = simulation.step();
    std::int64_t next = std::min(end, weights.next(here));
    if (interval > 0) next = std::min(next, (here / interval + 1) * interval);
    simulation.run(static_cast<double>(next - here) * dt_ms, observer);
    const std::int64_t reached = simulation.step();
    stopped = reached < next;
    weights.record(simulation);
    if (interval > 0 && reached > here && (reached % interval == 0 || stopped)) {
      simulation.save_checkpoint(
          checkpoint_file(settings.out, static_cast<double>(reached) * dt_ms));
    }
  }
}

void resume(Simulation& simulation, const RunSettings& settings) {
  if (!settings.resume) return;
  simulation.load_checkpoint(*settings.resume);
  const double start_ms = now_ms(simulation, settings.network);
  if (start_ms >= settings.end_ms - 0.5 * settings.network.dt_ms) {
    throw InputError(
        fmt::format("--time: the checkpoint '{}' is at {} already, and --time {} is where "
                    "the run ends; ask for more.",
                    settings.resume->string(), time_text(start_ms), time_text(settings.end_ms)));
  }
}

// What a command line means, on every rank; the same mistakes on all are told once.
RunSettings resolve_on(const Agreement& ranks, const RunArguments& arguments,
                       const NeuronCatalogue& models) {
  RunSettings settings =
      together(ranks, [&] { return resolve(arguments, models, ranks.first(), ranks.size()); });
  settings.options.communicator = ranks.communicator();
  settings.quiet = settings.quiet || !ranks.first();
  return settings;
}

bool on_any(const Agreement& ranks, bool here) {
  std::uint64_t value = here ? 1 : 0;
  ranks.most({&value, 1});
  return value > 0;
}

// Hands the synapses of plastic projections to rank 0, a rank's part of a projection at a time.
void record_synapses(const Agreement& ranks, const RunSettings& settings, const Simulation& simulation, Recording* recording) {
  if (!settings.record_synapses) return;
  using Synapse = ConnectivityRule::Synapse;
  std::size_t place = 0;
  for (const Projection& projection : settings.network.projections) {
    if (!projection.plasticity) continue;
    const std::size_t p = place++;
    if (ranks.alone()) {
      recording->add(p, {});
      simulation.visit_synapses(projection.name, [&](std::span<const Synapse> row) { recording->add(p, row); });
      continue;
    }
    std::vector<Synapse> own;
    simulation.visit_synapses(projection.name, [&own](std::span<const Synapse> row) { own.insert(own.end(), row.begin(), row.end()); });
    Gathered all;
    ranks.gather(std::as_bytes(std::span(own)), all);
    on_first(ranks, [&] {
      std::vector<Synapse> synapses(all.bytes.size() / sizeof(Synapse));
      if (!synapses.empty()) std::memcpy(synapses.data(), all.bytes.data(), all.bytes.size());
      recording->add(p, synapses);
    });
  }
}

// From the first step to the last file. Rank 0 records; the others take part in what it needs.
int simulate(const Agreement& ranks, const RunSettings& settings, const NeuronCatalogue& models,
             Simulation& simulation, ProgressDisplay& progress) {
  std::optional<Recording> recording;
  on_first(ranks, [&] {
    prepare_result_folder(settings.out, settings.force);
    recording.emplace(settings, models, progress);
  });
  WeightRecorder weights(settings.out, settings.network, models, settings.options, settings.record_weights);
  const double start_ms = now_ms(simulation, settings.network);
  std::optional<RunSummary> summary;
  const auto finish = [&] {
    const SimulationReport report = simulation.report();
    record_synapses(ranks, settings, simulation, recording ? &*recording : nullptr);
    const std::vector<std::string> weight_files = weights.finish();
    on_first(ranks, [&] { summary = recording->finish(report, start_ms, weights, weight_files); });
    return interrupted(settings, report);
  };
  progress.begin_run(start_ms, settings.end_ms);
  try {
    advance(simulation, settings, recording ? recording->observer() : progress, weights);
  } catch (const ActivityError&) {
    finish();  // what led to it is worth looking at
    throw;
  }
  progress.clear();
  const bool ended_early = finish();
  if (!settings.quiet) show_run_summary(*summary, settings.network, models, settings.out);
  return ended_early ? kInterrupted : kOk;
}

// The parts of a network, one after the other, on a machine that is smaller than it.
int run_in_parts(const RunSettings& settings, const NeuronCatalogue& models) {
  require_writable(settings.out);
  const InterruptGuard interrupt;
  const OutputLock lock(settings.out);
  ProgressDisplay progress(settings.quiet, interrupt);
  PartitionedOptions parts = *settings.parts;
  parts.scratch_folder = settings.out;
  PartitionedSimulation simulation(settings.network, models, parts);
  prepare_result_folder(settings.out, settings.force);
  Recording recording(settings, models, progress);
  progress.begin_run(0.0, settings.end_ms);
  try {
    simulation.run(settings.end_ms, recording.observer());
  } catch (const ActivityError&) {
    (void)recording.finish(simulation);  // what led to it is worth looking at
    throw;
  }
  progress.clear();
  const RunSummary summary = recording.finish(simulation);
  if (!settings.quiet) show_run_summary(summary, settings.network, models, settings.out);
  return summary.interrupted ? kInterrupted : kOk;
}

int run_on(const std::shared_ptr<Communicator>& communicator, const RunArguments& arguments) {
  const Agreement ranks(communicator);
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  const RunSettings settings = resolve_on(ranks, arguments, models);
  if (settings.parts) return run_in_parts(settings, models);
  const Plan needs =
      together(ranks, [&] { return tessera::plan(settings.network, models, settings.options); });
  on_first(ranks, [&] { require_writable(settings.out); });
  if (!settings.quiet) show_notes(needs);
  if (const std::string why = why_on_processor(settings.network, models, settings.options);
      !why.empty() && !settings.quiet) {
    fmt::print(stderr, "tessera: note: the steps run on the processor: {}\n", why);
  }

  const InterruptGuard interrupt;
  std::optional<OutputLock> lock;
  on_first(ranks, [&] { lock.emplace(settings.out); });
  ProgressDisplay progress(settings.quiet, interrupt);
  // What does not fit is refused by the simulation.
  if (needs.obstacles.empty() && needs.construction_seconds >= kWorthSaying)
    progress.phase(construction_sentence(needs));
  Simulation simulation(settings.network, models, settings.options);
  resume(simulation, settings);
  progress.clear();
  if (on_any(ranks, interrupt.requested())) return kInterrupted;  // nothing was simulated, nothing is written
  return simulate(ranks, settings, models, simulation, progress);
}

}  // namespace

int run(const RunArguments& arguments) {
  return on_ranks(arguments.patience, [&](const std::shared_ptr<Communicator>& ranks) {
    return run_on(ranks, arguments);
  });
}

}  // namespace tessera::cli
