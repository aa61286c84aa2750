// What the user typed, as text: the commands give it a meaning and report every problem at once.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tessera::cli {

using Text = std::optional<std::string>;

/// Shared by `run` and `plan`: the model and how it is to be simulated.
struct ModelArguments {
  Text model;
  std::vector<std::string> set;
  Text time, seed, threads, connectivity, group_size, tiles, precision, exchange, placement, device, memory;
  bool no_count_table = false;
};

/// On which machine a network runs, and what of it counts.
struct SubstrateArguments {
  Text machine, chips, effects, chip_seed;
  std::vector<std::string> machine_set;
};

struct RunArguments : ModelArguments, SubstrateArguments {
  Text discard, simd, out, checkpoint_every, resume, patience;
  std::vector<std::string> record;
  bool no_lock_step = false;
  bool force = false;
  bool quiet = false;
};

struct PlanArguments : ModelArguments {
  Text ranks, rank, json, svg, latency, bandwidth, event_cost;
  Text activity, listed, slices;  ///< of a training file
};

struct PartitionArguments {
  Text model, machine, chips, activity, time, json, svg;
  std::vector<std::string> set, machine_set;
  bool no_lock_step = false;
};

/// Of ModelArguments, only the model, --set and --seed.
struct SynapsesArguments : ModelArguments {
  Text projection, out;
  bool degrees = false, force = false, quiet = false;
};

struct StatsArguments {
  Text result, reference, json, correlation_neurons, subsample_seed;
};

struct TrainArguments : SubstrateArguments {
  Text model, weights, data, cache, epochs, seed, threads, strategy, slices, parallel, out;
  std::vector<std::string> set;
  bool force = false, resume = false, quiet = false;
};

struct EvaluateArguments : SubstrateArguments {
  Text result, data, split, threads, strategy;
  bool quiet = false;
};

struct PlotArguments {
  Text result, kind, output, reference, from, duration;
  std::vector<std::string> populations;
};

struct DataArguments {
  Text action, dataset, data, split, sample, out, format;
  bool force = false;
};

struct ImportArguments {
  Text format, file, steps, dt, reset, discretisation, training, training_labels, test, test_labels, out;
  bool quiet = false;
};

/// Of ModelArguments, only the model (sonata; nir: a folder with trained weights), --set and --seed.
struct ExportArguments : ModelArguments {
  Text format, out;
  bool force = false, quiet = false;
};

struct CompletionArguments {
  Text shell;
};

struct ModelsArguments {
  Text name;
};

/// Exit codes of the program.
enum Exit : int { kOk = 0, kRunFailed = 1, kBadInput = 2, kInterrupted = 130 };

int run(const RunArguments& arguments);
int plan(const PlanArguments& arguments);
int partition(const PartitionArguments& arguments);
int synapses(const SynapsesArguments& arguments);
int stats(const StatsArguments& arguments);
int plot(const PlotArguments& arguments);
/// Plots of trainings, whose arguments plot() has looked at.
int plot_training(const PlotArguments& arguments);
int train(const TrainArguments& arguments);
int evaluate(const EvaluateArguments& arguments);
int data(const DataArguments& arguments);
int import_file(const ImportArguments& arguments);
int export_file(const ExportArguments& arguments);
int models(const ModelsArguments& arguments);
int info();

/// Parses the command line and runs the command. Throws what the commands throw.
int dispatch(int argc, char** argv);

}  // namespace tessera::cli
