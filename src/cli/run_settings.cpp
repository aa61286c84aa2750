// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/run_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output_folder.hpp"
#include "cli/ranks.hpp"
#include "cli/substrate.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"
#include "tessera/simd_control.hpp"

namespace tessera::cli {
namespace {

constexpr double kMostSteps = 4294967294.0;  // spikes carry their step in 32 bits

void select_simd(const RunArguments& arguments, Problems& problems) {
  if (!arguments.simd) return;
  try {
    force_simd_target(*arguments.simd);
  } catch (const InputError& error) {
    problems.add("--simd", error.what());
  }
}

// What to record: exactly what the command line lists, or spikes and the model's own recorders.
struct Recording {
  bool listed = false;
  bool spikes = true;
  bool synapses = false;
  std::vector<StateRecorder> states;
  std::vector<SpikeSelection> of_some;  // none: spikes of all
  std::vector<WeightRecording> weights;
};

Recording recording(const RunArguments& arguments, Problems& problems) {
  Recording recording;
  // Synapses and weights come beside what is recorded otherwise.
  const auto is_beside = [](const std::string& what) { return what == "synapses" || is_weight_recording(what); };
  recording.listed = !std::all_of(arguments.record.begin(), arguments.record.end(), is_beside);
  recording.spikes = !recording.listed;
  bool none = false, of_all = false;
  for (const std::string& what : arguments.record) {
    if (what == "none") {
      none = true;
    } else if (what == "synapses") {
      recording.synapses = true;
    } else if (what == "spikes") {
      recording.spikes = of_all = true;
    } else if (is_spike_selection(what)) {
      recording.spikes = true;
      if (auto some = parse_spike_selection(what, problems)) recording.of_some.push_back(*some);
    } else if (is_weight_recording(what)) {
      if (auto weights = parse_weight_recording(what, problems)) recording.weights.push_back(*weights);
    } else if (auto recorder = parse_recorder(what, problems)) {
      recording.states.push_back(*recorder);
    }
  }
  if (of_all && !recording.of_some.empty()) {
    problems.add("--record", "spikes are those of all populations: leave it out to record spikes of some.");
  }
  if (none && (recording.spikes || !recording.states.empty())) {
    problems.add("--record", "none and something else contradict each other.");
  }
  return recording;
}

struct Times {
  std::optional<double> end, discard, checkpoint_every;
};

Times times(const RunArguments& arguments, Problems& problems) {
  const auto parse = [&problems](const Text& text, const char* option) -> std::optional<double> {
    if (!text) return std::nullopt;
    return parse_time_ms(*text, option, problems);
  };
  Times times{parse(arguments.time, "--time"), parse(arguments.discard, "--discard"),
              parse(arguments.checkpoint_every, "--checkpoint-every")};
  if (times.end && *times.end <= 0.0) problems.add("--time", "must be above 0 ms.");
  const auto patience = parse(arguments.patience, "--patience");
  if (patience && *patience < kLeastPatienceMs) {
    problems.add("--patience", fmt::format("must be at least {}.", time_text(kLeastPatienceMs)));
  }
  if (times.checkpoint_every && *times.checkpoint_every <= 0.0) {
    problems.add("--checkpoint-every", "must be above 0 ms.");
  }
  return times;
}

// Checks that need the model: its time step and its default times.
void settle_times(const Times& times, RunSettings& settings, Problems& problems) {
  const double dt_ms = settings.network.dt_ms;
  settings.end_ms = times.end.value_or(settings.network.time_ms);
  settings.discard_ms = times.discard.value_or(settings.network.discard_ms);
  settings.checkpoint_every_ms = times.checkpoint_every;
  if (settings.end_ms / dt_ms > kMostSteps) {
    problems.add("--time",
                 fmt::format("{} are more than the {} steps of {} that a run can have.",
                             time_text(settings.end_ms),
                             grouped(static_cast<std::uint64_t>(kMostSteps)), time_text(dt_ms)));
  }
  if (times.end) require_multiple_of_dt(*times.end, dt_ms, "--time", problems);
  if (times.checkpoint_every) {
    require_multiple_of_dt(*times.checkpoint_every, dt_ms, "--checkpoint-every", problems);
  }
  if (settings.discard_ms < settings.end_ms) return;
  if (times.discard) {
    problems.add("--discard",
                 fmt::format("{} leaves nothing of a run of {}.", time_text(settings.discard_ms),
                             time_text(settings.end_ms)));
  }
  settings.discard_ms = 0.0;  // a run shorter than the model's default: all of it counts
}

// What a run on a machine cannot do, beside what its network and options say.
void refuse_beside_parts(const Recording& what, int ranks, Problems& problems) {
  if (what.synapses || !what.weights.empty()) problems.add("--record", "synapses and weights stay as they are on a machine; 'tessera synapses' lists them.");
  if (ranks > 1) problems.add("--machine", fmt::format("a run on a machine is one process, not {} ranks: its parts take turns.", ranks));
}

// "--record V_m:E:1:1ms.population" means nothing to who typed it: name the option alone.
std::vector<Problem> at_recorder_options(std::vector<Problem> problems, const Network& network) {
  for (Problem& problem : problems) {
    for (const StateRecorder& recorder : network.recorders) {
      const std::string& option = recorder.where.key_path;
      if (option.rfind("--record", 0) == 0 && problem.where.key_path.rfind(option, 0) == 0) {
        problem.where.key_path = option;
      }
    }
  }
  return problems;
}

void check_resume(const RunArguments& arguments, Problems& problems) {
  if (!arguments.resume) return;
  std::error_code error;
  if (!std::filesystem::is_regular_file(*arguments.resume, error)) {
    problems.add("--resume", fmt::format("there is no file '{}'.", *arguments.resume));
  }
}

}  // namespace

RunSettings resolve(const RunArguments& arguments, const NeuronCatalogue& models, bool writes, int ranks) {
  Problems problems;
  require_given(arguments.model, "MODEL", "tessera run model.toml --time 1s", problems);
  RunSettings settings;
  settings.options = simulation_options(arguments, problems);
  settings.force = arguments.force;
  settings.quiet = arguments.quiet;
  if (arguments.resume) settings.resume = *arguments.resume;
  select_simd(arguments, problems);
  const Times given = times(arguments, problems);
  Recording what = recording(arguments, problems);
  settings.record_spikes = what.spikes;
  settings.record_synapses = what.synapses;
  settings.record_weights = what.weights;
  settings.out = arguments.out.value_or(
      "results/" + std::filesystem::path(arguments.model.value_or("")).stem().string());
  if (writes) check_output_folder(settings.out, settings.force, ResultKind::run, problems);
  check_resume(arguments, problems);

  if (auto network = load_network(arguments, models, problems, ranks)) {
    settings.network = std::move(*network);
    if (what.synapses && !is_plastic(settings.network)) {
      problems.add("--record", "synapses: no projection of this model is plastic; 'tessera synapses' lists those that stay as they are.");
    }
    const auto& own = settings.network.weight_recorders;
    if (!what.listed) settings.record_weights.insert(settings.record_weights.begin(), own.begin(), own.end());
    settings.record_weights = one_of_each(settings.record_weights, settings.network);
    problems.add(validate(settings.record_weights, settings.network));
    if (what.listed) {
      settings.network.recorders = one_of_each(what.states, settings.network, problems);
      settings.network.spike_recorders = one_of_each(what.of_some, settings.network, problems);
    }
    problems.add(at_recorder_options(validate(settings.network, models), settings.network));
    if (!arguments.seed) settings.options.seed = settings.network.seed;
    settle_times(given, settings, problems);
    settings.parts = parts_of(arguments, settings.network, models, settings.options, settings.end_ms, problems);
    if (settings.parts) refuse_beside_parts(what, ranks, problems);
  }
  problems.raise();
  return settings;
}

}  // namespace tessera::cli
