// tessera run: simulate a model, record, report.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "cli/output_folder.hpp"
#include "cli/progress.hpp"
#include "cli/run_settings.hpp"
#include "cli/run_summary.hpp"
#include "cli/text.hpp"
#include "tessera/analysis.hpp"
#include "tessera/result.hpp"
#include "tessera/simd_control.hpp"

namespace tessera::cli {
namespace {

// Everything that watches a run, and the files it leaves.
class Recording {
 public:
  Recording(const RunSettings& settings, const NeuronCatalogue& models, ProgressDisplay& progress)
      : settings_(settings), activity_(settings.network, settings.discard_ms) {
    if (settings.record_spikes) spikes_.emplace(settings.out, settings.network);
    if (!settings.network.recorders.empty()) traces_.emplace(settings.out, settings.network, models);
    observers_.add(progress);
    observers_.add(activity_);
    if (spikes_) observers_.add(*spikes_);
    if (traces_) observers_.add(*traces_);
  }

  [[nodiscard]] RunObserver& observer() { return observers_; }

  /// Gives the files their names and writes the report.
  RunSummary finish(const Simulation& simulation, double start_ms) {
    const SimulationReport report = simulation.report();
    RunSummary summary = summarise(settings_.network, settings_.options, report);
    summary.start_ms = start_ms;
    summary.discard_ms = std::min(settings_.discard_ms, report.model_time_ms);
    summary.interrupted = report.model_time_ms < settings_.end_ms - 0.5 * settings_.network.dt_ms;
    summary.simd_target = simd_target();
    summary.populations = activity_.summaries(report.model_time_ms, start_ms);
    const auto keep = [&summary](const std::vector<std::string>& files) {
      summary.files.insert(summary.files.end(), files.begin(), files.end());
    };
    if (spikes_) keep(spikes_->finish());
    if (traces_) keep(traces_->finish());
    write_report(settings_.out, summary);
    return summary;
  }

 private:
  const RunSettings& settings_;
  ActivityStatistics activity_;
  std::optional<SpikeRecorder> spikes_;
  std::optional<TraceRecorder> traces_;
  ObserverList observers_;
};

constexpr double kWorthSaying = 0.5;  // seconds of construction

std::string construction_sentence(const Plan& plan) {
  return fmt::format("building connectivity: {}, {}, about {:.1f} s",
                     synapses_text(plan.synapses, plan.synapses_expected), to_string(plan.connectivity),
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

// Runs to the end, or to where Ctrl-C was noticed, with a checkpoint at every multiple of the
// interval.
void advance(Simulation& simulation, const RunSettings& settings, RunObserver& observer,
             const InterruptGuard& interrupt) {
  const double dt_ms = settings.network.dt_ms;
  const auto steps_of = [dt_ms](double ms) {
    return static_cast<std::int64_t>(std::llround(ms / dt_ms));
  };
  const std::int64_t end = steps_of(settings.end_ms);
  const std::int64_t interval =
      settings.checkpoint_every_ms ? steps_of(*settings.checkpoint_every_ms) : 0;
  while (simulation.step() < end && !interrupt.requested()) {
    const std::int64_t here = simulation.step();
    const std::int64_t next = interval > 0 ? std::min(end, (here / interval + 1) * interval) : end;
    simulation.run(static_cast<double>(next - here) * dt_ms, observer);
    const std::int64_t reached = simulation.step();
    if (interval > 0 && (reached % interval == 0 || interrupt.requested())) {
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

}  // namespace

int run(const RunArguments& arguments) {
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  const RunSettings settings = resolve(arguments, models);
  const Plan needs = tessera::plan(settings.network, models, settings.options);
  require_writable(settings.out);
  if (!settings.quiet) show_notes(needs);

  const InterruptGuard interrupt;
  const OutputLock lock(settings.out);
  ProgressDisplay progress(settings.quiet, interrupt);
  // What does not fit is refused by the simulation.
  if (needs.obstacles.empty() && needs.construction_seconds >= kWorthSaying)
    progress.phase(construction_sentence(needs));
  Simulation simulation(settings.network, models, settings.options);
  resume(simulation, settings);
  progress.clear();
  if (interrupt.requested()) return kInterrupted;  // nothing was simulated, nothing is written

  prepare_result_folder(settings.out, settings.force);
  const double start_ms = now_ms(simulation, settings.network);
  Recording recording(settings, models, progress);
  progress.begin_run(start_ms, settings.end_ms);
  try {
    advance(simulation, settings, recording.observer(), interrupt);
  } catch (const ActivityError&) {
    recording.finish(simulation, start_ms);  // what led to it is worth looking at
    throw;
  }
  progress.clear();
  const RunSummary summary = recording.finish(simulation, start_ms);
  if (!settings.quiet) show_run_summary(summary, settings.network, models, settings.out);
  return summary.interrupted ? kInterrupted : kOk;
}

}  // namespace tessera::cli
