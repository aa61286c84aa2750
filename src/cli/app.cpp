// The grammar of the command line: subcommands, options, help texts with examples.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <memory>

#include "cli/arguments.hpp"
#include "cli/completion.hpp"
#include "cli/ranks.hpp"
#include "tessera/errors.hpp"
#include "version.hpp"

namespace tessera::cli {
namespace {

using Command = std::function<int()>;

// Values stay text here (see values.hpp), so that all problems of a command line are told at once.
void value(CLI::App& app, const std::string& name, Text& into, const std::string& placeholder,
           const std::string& help) {
  app.add_option(name, into, help)
      ->type_name(placeholder)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void values(CLI::App& app, const std::string& name, std::vector<std::string>& into,
            const std::string& placeholder, const std::string& help) {
  app.add_option(name, into, help)->type_name(placeholder)->allow_extra_args(false);
}

void model_options(CLI::App& app, ModelArguments& arguments) {
  value(app, "MODEL", arguments.model, "FILE", "model file (TOML)");
  value(app, "--time", arguments.time, "TIME",
        "model time at which the run ends, e.g. 10s; default: the model's");
  value(app, "--seed", arguments.seed, "N", "seed of all random numbers; default: the model's");
  value(app, "--threads", arguments.threads, "N",
        "worker threads; default: as many as there is work for");
  value(app, "--connectivity", arguments.connectivity, "stored|procedural|auto",
        "auto: stored when it fits the memory, else those projections that save most; default: auto");
  value(app, "--memory", arguments.memory, "SIZE",
        "what a rank may use, e.g. 4GB; default: what this process may use");
  value(app, "--group-size", arguments.group_size, "N",
        "tiles per delivery group; default: all tiles in one group");
  value(app, "--tiles", arguments.tiles, "N", "at least this many tiles in all; default: chosen");
  value(app, "--precision", arguments.precision, "fast|exact",
        "float32 and integer accumulation, or float64; default: fast");
  value(app, "--exchange", arguments.exchange, "collective|point_to_point|auto",
        "over ranks: every rank gets all spike lists, or those its targets need; default: auto");
  value(app, "--placement", arguments.placement, "spread|pack",
        "over ranks: chunks of every population on all ranks, or whole populations; default: spread");
  value(app, "--device", arguments.device, "cpu|cuda[:N]|auto",
        "where steps run: the processor, a GPU, or a GPU if it can; default: cpu");
  app.add_flag("--no-count-table", arguments.no_count_table,
               "procedural: redraw synapse counts instead of keeping them (smaller, slower)");
  values(app, "--set", arguments.set, "NAME=VALUE",
         "override a named parameter of the model; repeatable");
}

// "Usage: tessera run MODEL [OPTIONS]": what has to be given stands first.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string) const override {
    std::string usage = "Usage: tessera";
    if (app->get_parent() != nullptr) usage += " " + app->get_name();
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_positional()) continue;
      const std::string& name = option->get_name(true);
      const bool optional =
          name == "PROJECTION" || name == "DATASET" || app->get_name() == "models";
      usage += optional ? " [" + name + "]" : " " + name;
    }
    if (app->get_parent() == nullptr) usage += " COMMAND";
    return usage + " [OPTIONS]\n";
  }
};

void example(CLI::App& app, const std::string& text) { app.footer("Example:\n  " + text); }

void substrate_options(CLI::App& app, SubstrateArguments& arguments) {
  value(app, "--machine", arguments.machine, "NAME|FILE",
        "run the network on this machine, part by part (see `tessera partition`)");
  values(app, "--machine-set", arguments.machine_set, "NAME=VALUE",
         "override a named parameter of the machine; repeatable");
  value(app, "--chips", arguments.chips, "N", "chips that run at one time; default: the machine's");
  value(app, "--effects", arguments.effects, "LIST",
        "what of the machine counts: weights,events,pattern,noise,readout or none; default: all of it");
  value(app, "--chip-seed", arguments.chip_seed, "N", "which chip: seed of its variation and noise; default: 1");
}

CLI::App* add_run(CLI::App& app, RunArguments& arguments) {
  CLI::App* run = app.add_subcommand("run", "Simulate a model and write a result folder");
  model_options(*run, arguments);
  value(*run, "--discard", arguments.discard, "TIME",
        "start of the statistics; default: the model's");
  value(*run, "--simd", arguments.simd, "TARGET",
        "instruction set, see 'tessera info'; default: the best");
  values(*run, "--record", arguments.record, "WHAT",
         "none, spikes (of all), spikes:POPULATION[:COUNT] (the first ones of a population, an area or a pattern, e.g. "
         "spikes:V1.*:100), synapses (of plastic projections, at the end), weights:PROJECTION:COUNT|all|histogram:INTERVAL or "
         "VARIABLE:POPULATION:COUNT:INTERVAL (e.g. V_m:L4E:10:1ms); repeatable; "
         "default: spikes and the model's recorders");
  value(*run, "--out", arguments.out, "DIR",
        "result folder; default: results/<name of the model file>");
  run->add_flag("--force", arguments.force, "replace a result that is there; other files stay");
  value(*run, "--checkpoint-every", arguments.checkpoint_every, "TIME",
        "write DIR/checkpoint_<time>ms.tsc at these intervals of model time");
  value(*run, "--resume", arguments.resume, "FILE",
        "continue from a checkpoint of the same model and seed");
  value(*run, "--patience", arguments.patience, "TIME",
        "over ranks: one that is not heard of for so long ends the run; default: 30s");
  substrate_options(*run, arguments);
  run->add_flag("--no-lock-step", arguments.no_lock_step,
                "on a machine: refuse to divide populations that reach each other");
  run->add_flag("--quiet", arguments.quiet, "no progress and no summary, only errors");
  example(*run,
          "tessera run models/microcircuit/microcircuit.toml --time 10s --discard 500ms \\\n"
          "    --connectivity procedural --out results/microcircuit");
  return run;
}

CLI::App* add_plan(CLI::App& app, PlanArguments& arguments) {
  CLI::App* plan = app.add_subcommand(
      "plan", "What a run will need: counted, or one rank of many built without the others; of a training, counted");
  model_options(*plan, arguments);
  value(*plan, "--ranks", arguments.ranks, "N,N,...",
        "build one rank of so many on this machine and cost the rest; of a training file: count one");
  value(*plan, "--rank", arguments.rank, "N", "which one; default: 0");
  value(*plan, "--json", arguments.json, "FILE", "with --ranks: everything as JSON");
  value(*plan, "--svg", arguments.svg, "FILE",
        "with --ranks: construction, memory and real-time factor over ranks");
  value(*plan, "--latency", arguments.latency, "US",
        "with --ranks: microseconds of a message; default: 2");
  value(*plan, "--bandwidth", arguments.bandwidth, "GB/S",
        "with --ranks: of the link of a rank; default: 10");
  value(*plan, "--event-cost", arguments.event_cost, "NS",
        "with --ranks: nanoseconds of a synaptic event on one core; default: measured here");
  value(*plan, "--activity", arguments.activity, "SHARE",
        "training file: share of neurons that spike in a step; default: initial_activity, else 0.02");
  value(*plan, "--listed", arguments.listed, "SHARE",
        "training file: share that is listed; default: four times the activity, at most max_activity");
  value(*plan, "--slices", arguments.slices, "N", "training file: as for train; default: the file's");
  example(*plan,
          "tessera plan models/microcircuit/microcircuit.toml --connectivity stored --threads 2\n"
          "  tessera plan models/balanced/balanced.toml --ranks 16,1024 --connectivity procedural");
  return plan;
}

CLI::App* add_partition(CLI::App& app, PartitionArguments& arguments) {
  CLI::App* partition = app.add_subcommand("partition", "Divide a network onto a machine that is smaller than it");
  value(*partition, "MODEL", arguments.model, "FILE", "model or training file (TOML)");
  value(*partition, "--machine", arguments.machine, "NAME|FILE",
        "brainscales2, ideal_512, spinnaker1, loihi1, dynapse2, ipu_gc200, or a machine file (TOML)");
  values(*partition, "--machine-set", arguments.machine_set, "NAME=VALUE",
         "override a named parameter of the machine; repeatable");
  values(*partition, "--set", arguments.set, "NAME=VALUE",
         "override a named parameter of the model; repeatable");
  value(*partition, "--chips", arguments.chips, "N", "chips that run at one time; default: the machine's");
  partition->add_flag("--no-lock-step", arguments.no_lock_step,
                      "a recurrent component must fit a chip, or the network is refused");
  value(*partition, "--activity", arguments.activity, "X",
        "part of the sources that spike in the busiest step; default: as the model's rates say");
  value(*partition, "--time", arguments.time, "TIME", "model time of a simulation; default: the model's");
  value(*partition, "--json", arguments.json, "FILE", "everything as JSON");
  value(*partition, "--svg", arguments.svg, "FILE", "blocks of the network coloured by run, and the schedule");
  example(*partition,
          "tessera partition models/training/mnist.toml --machine brainscales2 --svg mnist.svg\n"
          "  tessera partition models/small/grid.toml --machine ideal_512 --chips 4 --json grid.json");
  return partition;
}

CLI::App* add_synapses(CLI::App& app, SynapsesArguments& arguments) {
  CLI::App* synapses =
      app.add_subcommand("synapses", "List the synapses of a projection, or degrees");
  value(*synapses, "MODEL", arguments.model, "FILE", "model file (TOML)");
  value(*synapses, "PROJECTION", arguments.projection, "NAME",
        "projection; without one, the projections are listed");
  values(*synapses, "--set", arguments.set, "NAME=VALUE",
         "override a named parameter of the model; repeatable");
  value(*synapses, "--seed", arguments.seed, "N",
        "seed of all random numbers; default: the model's");
  value(*synapses, "--out", arguments.out, "FILE",
        "write FILE.csv or FILE.npy; default: csv on standard output");
  synapses->add_flag(
      "--degrees", arguments.degrees,
      "in- and out-degrees instead: summary and histogram, or the histogram in FILE");
  synapses->add_flag("--force", arguments.force, "replace a file that is there");
  synapses->add_flag("--quiet", arguments.quiet, "no progress, only errors");
  example(*synapses,
          "tessera synapses models/small/grid.toml lateral --degrees\n"
          "  tessera synapses models/small/grid.toml lateral --out lateral.npy");
  return synapses;
}

CLI::App* add_stats(CLI::App& app, StatsArguments& arguments) {
  CLI::App* stats = app.add_subcommand("stats", "Rates, irregularity and correlation of a result");
  value(*stats, "RESULT", arguments.result, "DIR", "result folder of a run");
  value(*stats, "--reference", arguments.reference, "DIR",
        "compare with a reference and give a verdict (exit code 1 when it disagrees)");
  value(*stats, "--json", arguments.json, "FILE",
        "write number, mean, SD and quantiles of every measure as JSON (/dev/stdout: print)");
  value(*stats, "--correlation-neurons", arguments.correlation_neurons, "N",
        "neurons of a population whose pairs are correlated, 0 to 5000; default: 1000");
  value(*stats, "--subsample-seed", arguments.subsample_seed, "N",
        "which neurons these are; default: 1");
  example(*stats, "tessera stats results/microcircuit --reference models/microcircuit/reference");
  return stats;
}

CLI::App* add_plot(CLI::App& app, PlotArguments& arguments) {
  CLI::App* plot = app.add_subcommand("plot", "Draw a result as SVG");
  value(*plot, "RESULT", arguments.result, "DIR", "result folder of a run or a training");
  value(
      *plot, "KIND", arguments.kind, "raster|rates|areas|isi|trace|weights|map|loss|activity|confusion",
      "of a run: raster, rates, areas, isi, trace, weights or map; of a training: loss, activity, confusion or raster");
  value(*plot, "-o,--output", arguments.output, "FILE", "SVG file; default: RESULT/KIND.svg");
  value(*plot, "--reference", arguments.reference, "DIR", "rates: mark the means of a reference");
  value(*plot, "--from", arguments.from, "TIME",
        "raster, trace: start; default: the last (raster) or first (trace) part");
  value(*plot, "--duration", arguments.duration, "TIME",
        "raster, trace: length; default: 400ms (raster), 500ms (trace)");
  values(*plot, "--population", arguments.populations, "NAME",
         "raster: draw this population, area or pattern (V1.*); repeatable; default: all whose spikes were recorded");
  example(*plot, "tessera plot results/microcircuit raster -o raster.svg");
  return plot;
}

void training_options(CLI::App& app, Text& data, Text& threads, Text& strategy) {
  value(app, "--data", data, "DIR",
        "folder of the data sets; default: $TESSERA_DATA_DIR, else data");
  value(app, "--threads", threads, "N", "worker threads; default: the model's, else one per core");
  value(app, "--strategy", strategy, "auto|sparse|dense|reference",
        "auto: by measured activity; default: the model's");
}

CLI::App* add_train(CLI::App& app, TrainArguments& arguments) {
  CLI::App* train = app.add_subcommand("train", "Train a network and write a result folder");
  value(*train, "MODEL", arguments.model, "FILE", "training file (TOML)");
  training_options(*train, arguments.data, arguments.threads, arguments.strategy);
  value(*train, "--weights", arguments.weights, "DIR|FILE",
        "begin with these weights (weights.safetensors of a training or an import) instead of drawn ones");
  value(*train, "--cache", arguments.cache, "DIR", "keep encoded samples of slow encoders here");
  value(*train, "--epochs", arguments.epochs, "N", "epochs in all; default: the model's");
  value(*train, "--seed", arguments.seed, "N", "seed of all random numbers; default: the model's");
  value(*train, "--slices", arguments.slices, "N",
        "parts of a batch that ranks share; the weights depend on it; default: the model's, else 1");
  value(*train, "--parallel", arguments.parallel, "auto|data|model",
        "ranks share samples (data), or the tiles of layers (model: for weights that do not fit one memory); the weights "
        "are the same; default: the model's, else auto");
  values(*train, "--set", arguments.set, "NAME=VALUE",
         "override a named parameter of the model; repeatable");
  substrate_options(*train, arguments);
  value(*train, "--out", arguments.out, "DIR",
        "result folder; default: results/<name of the model file>");
  train->add_flag("--force", arguments.force, "replace a result that is there; other files stay");
  train->add_flag("--resume", arguments.resume, "go on from the checkpoint in the result folder");
  train->add_flag("--quiet", arguments.quiet, "no progress and no summary, only errors");
  example(*train, "tessera train models/training/yin_yang.toml --epochs 20 --out results/yin_yang");
  return train;
}

CLI::App* add_evaluate(CLI::App& app, EvaluateArguments& arguments) {
  CLI::App* evaluate =
      app.add_subcommand("evaluate", "Accuracy of trained weights, class by class");
  value(*evaluate, "RESULT", arguments.result, "DIR", "result folder of a training");
  training_options(*evaluate, arguments.data, arguments.threads, arguments.strategy);
  substrate_options(*evaluate, arguments);
  value(*evaluate, "--split", arguments.split, "test|train", "samples; default: test");
  evaluate->add_flag("--quiet", arguments.quiet, "no progress and no tables, only the accuracy");
  example(*evaluate, "tessera evaluate results/yin_yang --split train");
  return evaluate;
}

CLI::App* add_data(CLI::App& app, DataArguments& arguments) {
  CLI::App* data = app.add_subcommand("data", "What a data set holds, and its spikes as files");
  value(*data, "ACTION", arguments.action, "info|convert", "what to do");
  value(*data, "DATASET", arguments.dataset, "NAME|FILE",
        "data set, e.g. mnist, or a training file (TOML); without one, info lists the sets");
  value(*data, "--data", arguments.data, "DIR",
        "folder of the data sets; default: $TESSERA_DATA_DIR, else data");
  value(*data, "--split", arguments.split, "train|test", "samples; default: both");
  value(*data, "--sample", arguments.sample, "N",
        "info: count the spikes of this sample; convert: draw it as SVG");
  value(*data, "--out", arguments.out, "DIR", "convert: folder for the files");
  value(*data, "--format", arguments.format, "npy|csv|h5",
        "convert: h5 has the layout of SHD; default: npy");
  data->add_flag("--force", arguments.force, "convert: write into a folder that is not empty");
  example(*data,
          "tessera data info yin_yang\n"
          "  tessera data convert mnist --split test --format h5 --out spikes");
  return data;
}

CLI::App* add_import(CLI::App& app, ImportArguments& arguments) {
  CLI::App* import = app.add_subcommand("import", "A network of another program as a training file and weights");
  value(*import, "FORMAT", arguments.format, "nir", "nir: NIR 1.0.8 (snnTorch, Norse, Sinabs, ...)");
  value(*import, "FILE", arguments.file, "FILE", "the file");
  value(*import, "--steps", arguments.steps, "N", "time steps of a sample, 1 .. 65535");
  value(*import, "--dt", arguments.dt, "TIME", "time step that the network was made for, which no file says; default: 0.1ms, as snnTorch writes them");
  value(*import, "--reset", arguments.reset, "zero|subtract|subtract_undecayed",
        "what a spike does; default: zero, what files say; networks with snnTorch's default need subtract_undecayed");
  value(*import, "--discretisation", arguments.discretisation, "euler|exponential",
        "decays 1 - dt/tau or exp(-dt/tau); default: euler");
  value(*import, "--training", arguments.training, "FILE", "training samples, in the data folder; default: training.npz");
  value(*import, "--training-labels", arguments.training_labels, "FILE", "their labels, where they are npy or csv");
  value(*import, "--test", arguments.test, "FILE", "test samples; default: none");
  value(*import, "--test-labels", arguments.test_labels, "FILE", "their labels, where they are npy or csv");
  value(*import, "--out", arguments.out, "DIR", "folder for model.toml and weights.safetensors; default: results/<name of the file>");
  import->add_flag("--quiet", arguments.quiet, "do not print what became of every node");
  example(*import,
          "tessera import nir network.nir --steps 200 --test test.npz --out results/imported\n"
          "  tessera evaluate results/imported\n"
          "  tessera train results/imported/model.toml --weights results/imported --out results/trained");
  return import;
}

CLI::App* add_export(CLI::App& app, ExportArguments& arguments) {
  CLI::App* exporter = app.add_subcommand("export", "Trained weights, or a network with its synapses, for other programs");
  value(*exporter, "FORMAT", arguments.format, "nir|sonata", "nir: NIR 1.0.8, of a training; sonata: nodes and edges, of a model");
  value(*exporter, "INPUT", arguments.model, "DIR|FILE", "nir: result folder of a training; sonata: model file (TOML)");
  values(*exporter, "--set", arguments.set, "NAME=VALUE", "sonata: override a named parameter of the model; repeatable");
  value(*exporter, "--seed", arguments.seed, "N", "sonata: seed of all random numbers; default: the model's");
  value(*exporter, "--out", arguments.out, "DIR|FILE", "nir: the file; sonata: a folder");
  exporter->add_flag("--force", arguments.force, "replace what is there");
  exporter->add_flag("--quiet", arguments.quiet, "no progress, only errors");
  example(*exporter,
          "tessera export nir results/yin_yang --out yin_yang.nir\n"
          "  tessera export sonata models/small/grid.toml --out grid");
  return exporter;
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? "tessera" : "tessera " + app.get_name();
}

// Arguments nobody knew. Only the options are named when there are any: what follows an unknown
// option may have been its value.
void refuse_unknown(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  std::vector<Problem> unknown, surplus;
  for (const std::string& word : app.remaining()) {
    const std::string name = word.substr(0, word.find('='));
    if (word.size() > 1 && word[0] == '-') {
      unknown.push_back({{},
                         fmt::format("'{}' has no option '{}'.{} See '{} --help'.", full_name(app),
                                     name, did_you_mean(name, names), full_name(app))});
    } else {
      surplus.push_back({{},
                         fmt::format("'{}' does not take the argument '{}'. See '{} --help'.",
                                     full_name(app), word, full_name(app))});
    }
  }
  if (!unknown.empty()) throw InputError(unknown);
  if (!surplus.empty()) throw InputError(surplus);
}

void refuse_unknown_command(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty()) return;
  if (rest[0].size() > 1 && rest[0][0] == '-') refuse_unknown(app);
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  throw InputError(fmt::format("there is no command '{}'.{} The commands are {}.", rest[0],
                               did_you_mean(rest[0], names), fmt::join(names, ", ")));
}

using Commands = std::vector<std::pair<CLI::App*, Command>>;

// What the command line asks for. Throws InputError.
Command choose(CLI::App& app, const Commands& commands, int argc, char** argv) {
  const Command nothing = [] { return kOk; };
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    return speaks() ? Command([&app, request] { return app.exit(request); }) : nothing;
  } catch (const CLI::ParseError& error) {  // what is left: an option without its value
    throw InputError(std::string(error.what()) + ".");
  }
  for (const auto& [command, action] : commands) {
    if (!command->parsed()) continue;
    if (command->get_name() == "run" || command->get_name() == "train") {
      refuse_unknown(*command);
      return action;
    }
    // Of the processes of a launcher, one is enough for what cannot be shared, and is alone with its mistakes.
    if (!speaks()) return nothing;
    return [&command = *command, &action = action] {
      refuse_unknown(command);
      return action();
    };
  }
  refuse_unknown_command(app);
  if (!speaks()) return nothing;
  return [&app] {
    std::fputs(app.help().c_str(), stderr);
    return kBadInput;
  };
}

}  // namespace

int dispatch(int argc, char** argv) {
  CLI::App app{"Tessera simulates and trains spiking neural networks on many small memories.",
               "tessera"};
  RunArguments run_arguments;
  PlanArguments plan_arguments;
  PartitionArguments partition_arguments;
  SynapsesArguments synapses_arguments;
  StatsArguments stats_arguments;
  PlotArguments plot_arguments;
  TrainArguments train_arguments;
  EvaluateArguments evaluate_arguments;
  DataArguments data_arguments;
  ImportArguments import_arguments;
  ExportArguments export_arguments;
  ModelsArguments models_arguments;
  CompletionArguments completion_arguments;

  const auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(36);
  formatter->label("Subcommands", "Commands");
  app.formatter(formatter);
  app.set_version_flag("--version", fmt::format("tessera {} ({})", kVersion, kCommit));
  example(app,
          "tessera run models/microcircuit/microcircuit.toml --set scale=0.1 --out results/first");
  Commands commands;
  commands.emplace_back(add_run(app, run_arguments), [&] { return run(run_arguments); });
  commands.emplace_back(add_plan(app, plan_arguments), [&] { return plan(plan_arguments); });
  commands.emplace_back(add_partition(app, partition_arguments), [&] { return partition(partition_arguments); });
  commands.emplace_back(add_synapses(app, synapses_arguments),
                        [&] { return synapses(synapses_arguments); });
  commands.emplace_back(add_stats(app, stats_arguments), [&] { return stats(stats_arguments); });
  commands.emplace_back(add_plot(app, plot_arguments), [&] { return plot(plot_arguments); });
  commands.emplace_back(add_train(app, train_arguments), [&] { return train(train_arguments); });
  commands.emplace_back(add_evaluate(app, evaluate_arguments),
                        [&] { return evaluate(evaluate_arguments); });
  commands.emplace_back(add_data(app, data_arguments), [&] { return data(data_arguments); });
  commands.emplace_back(add_import(app, import_arguments), [&] { return import_file(import_arguments); });
  commands.emplace_back(add_export(app, export_arguments), [&] { return export_file(export_arguments); });
  CLI::App* models_app = app.add_subcommand(
      "models", "List the neuron models and rules of plasticity, or document one: equations, parameters");
  value(*models_app, "NAME", models_arguments.name, "NAME", "neuron model or rule of plasticity");
  example(*models_app, "tessera models iaf_psc_exp");
  commands.emplace_back(models_app, [&] { return models(models_arguments); });
  CLI::App* info_app = app.add_subcommand("info", "Version, MPI, instruction sets, cores, memory, HDF5");
  example(*info_app, "tessera info");
  commands.emplace_back(info_app, [] { return info(); });
  CLI::App* completion_app =
      app.add_subcommand("completion", "Print a script that completes command lines in a shell");
  value(*completion_app, "SHELL", completion_arguments.shell, "bash|zsh", "shell");
  example(*completion_app,
          "tessera completion bash > ~/.local/share/bash-completion/completions/tessera");
  commands.emplace_back(completion_app, [&] { return completion(app, completion_arguments); });

  app.require_subcommand(0, 1);
  app.allow_extras();
  for (auto& [command, action] : commands) command->allow_extras();

  Command command;
  try {
    command = choose(app, commands, argc, argv);
  } catch (const InputError&) {
    return refuse_on_ranks(std::current_exception());
  }
  return command();
}

}  // namespace tessera::cli
