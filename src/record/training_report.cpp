// report.json, metrics and tables of a training.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "files/csv.hpp"
#include "files/file.hpp"
#include "files/sealed_json.hpp"
#include "record/machine_info.hpp"
#include "results/training_json.hpp"
#include "results/training_metrics.hpp"
#include "tessera/result.hpp"
#include "tessera/simd_control.hpp"
#include "tessera/substrate.hpp"
#include "tessera/training_result.hpp"
#include "version.hpp"

namespace tessera::training {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFiles[] = {"report.json",         "metrics.csv",   "metrics.json",
                                  "weights.safetensors", "confusion.csv", "checkpoint.safetensors",
                                  "raster.csv",          "model.toml"};

ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

double fraction(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? std::nan("") : static_cast<double>(part) / static_cast<double>(whole);
}

void write_metrics_csv(const std::filesystem::path& folder,
                       const std::vector<EpochMetrics>& epochs) {
  std::vector<std::string> columns = {
      "epoch",         "loss",       "accuracy", "validation_loss",   "validation_accuracy",
      "learning_rate", "theta_grad", "seconds",  "samples_per_second"};
  for (const LayerActivity& layer : epochs.front().layers) {
    for (const char* what : {"activity", "listed", "dropped_spikes", "dropped_gradients", "silent"})
      columns.push_back(layer.name + "." + what);
  }
  for (const RewiringCounts& counts : epochs.front().rewiring) {
    for (const char* what : {"synapses", "formed", "eliminated"}) columns.push_back(counts.name + "." + what);
  }
  if (!epochs.front().rewiring.empty()) columns.emplace_back("rewiring_seconds");
  io::CsvWriter csv(folder / "metrics.csv", columns);
  for (const EpochMetrics& epoch : epochs) {
    std::vector<io::CsvCell> row = {static_cast<double>(epoch.epoch + 1),
                                    epoch.loss,
                                    epoch.accuracy,
                                    epoch.validation_loss,
                                    epoch.validation_accuracy,
                                    epoch.learning_rate,
                                    epoch.theta_grad,
                                    epoch.seconds,
                                    epoch.samples_per_second};
    for (const LayerActivity& layer : epoch.layers) {
      row.emplace_back(fraction(layer.spikes, layer.neuron_steps));
      row.emplace_back(fraction(layer.listed, layer.neuron_steps));
      row.emplace_back(static_cast<double>(layer.dropped_spikes));
      row.emplace_back(static_cast<double>(layer.dropped_gradients));
      row.emplace_back(static_cast<double>(layer.silent_neurons));
    }
    for (const RewiringCounts& counts : epoch.rewiring) {
      for (const std::uint64_t n : {counts.synapses, counts.formed, counts.eliminated})
        row.emplace_back(static_cast<double>(n));
    }
    if (!epoch.rewiring.empty()) row.emplace_back(epoch.rewiring_seconds);
    csv.row(row);
  }
  csv.commit();
}

void write_confusion(const std::filesystem::path& folder, const EvaluationResult& test,
                     const std::vector<std::string>& names) {
  std::vector<std::string> columns = {"label"};
  columns.insert(columns.end(), names.begin(), names.end());
  io::CsvWriter csv(folder / "confusion.csv", columns);
  for (std::size_t label = 0; label < test.confusion.size(); ++label) {
    std::vector<io::CsvCell> row = {names.at(label)};
    for (const std::uint64_t count : test.confusion[label]) {
      row.emplace_back(static_cast<double>(count));
    }
    csv.row(row);
  }
  csv.commit();
}

void write_raster(const std::filesystem::path& folder, const SampleRaster& raster) {
  io::CsvWriter csv(folder / "raster.csv", {"layer", "step", "neuron"});
  for (const SampleRaster::Layer& layer : raster.layers) {
    for (const auto& [step, neuron] : layer.spikes) {
      csv.row({layer.name, static_cast<double>(step), static_cast<double>(neuron)});
    }
  }
  csv.commit();
}

ordered_json raster_json(const SampleRaster& raster) {
  ordered_json layers = ordered_json::array();
  for (const SampleRaster::Layer& layer : raster.layers) {
    layers.push_back({{"name", layer.name}, {"neurons", layer.neurons}});
  }
  return {{"label", raster.label}, {"prediction", raster.prediction}, {"layers", layers}};
}

ordered_json test_json(const EvaluationResult& test) {
  std::uint64_t samples = 0;
  for (const auto& row : test.confusion) {
    for (const std::uint64_t count : row) samples += count;
  }
  return {{"samples", samples}, {"loss", number(test.loss)}, {"accuracy", number(test.accuracy)}};
}

ordered_json substrate_json(const Substrate& substrate, const TrainingSummary& s) {
  ordered_json links = ordered_json::array();
  if (!s.epochs.empty()) {
    for (const LinkActivity& link : s.epochs.back().links)
      links.push_back({{"link", link.name}, {"events", link.events}, {"dropped", link.dropped}, {"late", link.late}});
  }
  return {{"machine", substrate.machine.name},
          {"digest", digest_text(digest(substrate))},
          {"seed", substrate.seed},
          {"chips", substrate.partition.chips},
          {"runs", substrate.partition.runs.size()},
          {"parts", s.substrate_use.parts},
          {"largest_part_bytes", s.substrate_use.largest_part},
          {"all_parts_bytes", s.substrate_use.all_parts},
          {"links_of_last_epoch", links}};
}

ordered_json pairs_json(const std::vector<ParameterOverride>& pairs) {
  ordered_json list = ordered_json::array();
  for (const auto& [name, value] : pairs) list.push_back({name, value});
  return list;
}

ordered_json parameters_json(const TrainingModel& model) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : model.parameters) object[name] = number(value);
  for (const auto& [name, choice] : model.choices) object[name] = choice;
  return object;
}

ordered_json machine_json() {
  const MachineInfo machine = this_machine();
  return {{"processor", machine.processor},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes}};
}

bool validated(const std::vector<EpochMetrics>& epochs) {
  return std::any_of(epochs.begin(), epochs.end(),
                     [](const EpochMetrics& epoch) { return epoch.validated(); });
}

ordered_json report_object(const TrainingModel& model, const TrainingSummary& s) {
  ordered_json report = {{"kind", "training"},
                         {"model", model.network.name},
                         {"model_digest", digest_text(model_digest(model))},
                         {"data_digest", digest_text(s.data_digest)},
                         {"seed", model.options.seed},
                         {"classes", class_names(model.data)},
                         {"epochs_done", s.epochs.size()},
                         {"epochs_asked", model.options.epochs},
                         {"best_epoch", s.best_epoch},
                         {"best_by", validated(s.epochs) ? "validation" : "training"},
                         {"best_validation_accuracy", number(s.best_validation_accuracy)},
                         {"stopped_early", s.stopped_early},
                         {"interrupted", s.interrupted},
                         {"failure", s.failure},
                         {"weights_digest", digest_text(s.weights_digest)},
                         {"parameters", s.parameters},
                         {"strategy", to_string(s.strategy)},
                         {"threads", s.threads},
                         {"ranks", s.ranks},
                         {"slices", s.slices},
                         {"parallel", to_string(s.parallel)},
                         {"simd_target", simd_target()},
                         {"seconds", number(s.seconds)},
                         {"list_bytes", s.list_bytes},
                         {"test_samples", s.test_samples},
                         {"warnings", s.warnings}};
  if (model.options.substrate) report["substrate"] = substrate_json(*model.options.substrate, s);
  if (s.test) report["test"] = test_json(*s.test);
  if (s.raster) report["raster"] = raster_json(*s.raster);
  report["set"] = pairs_json(s.overrides);
  report["named_parameters"] = parameters_json(model);
  report["settings"] = io::model_json(model);
  report["machine"] = machine_json();
  report["version"] = kVersion;
  report["commit"] = kCommit;
  report["compiler"] = kCompiler;
  report["build_type"] = kBuildType;
  return report;
}

// Names come from users: bytes that are no UTF-8 must not stop a report from being written.
void write_sealed(const std::filesystem::path& folder, const ordered_json& report) {
  io::write_file(folder / "report.json",
                 io::sealed(report.dump(2, ' ', false, ordered_json::error_handler_t::replace)));
}

// Of all files of the training beside the report.
ordered_json checksums_of(const std::filesystem::path& folder) {
  ordered_json checksums = ordered_json::object();
  for (const std::string file : kFiles) {
    std::error_code ignored;
    if (file == "report.json" || !std::filesystem::is_regular_file(folder / file, ignored)) continue;
    checksums[file] = io::file_checksum(folder / file);
  }
  return checksums;
}

void discard(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

}  // namespace

void write_metrics(const std::filesystem::path& folder, const std::vector<EpochMetrics>& epochs) {
  if (epochs.empty()) return;
  write_metrics_csv(folder, epochs);
  io::write_file(folder / "metrics.json", io::metrics_json(epochs).dump(1) + "\n");
}

void write_training_report(const std::filesystem::path& folder, const TrainingModel& model,
                           const TrainingSummary& summary) {
  io::write_file(folder / "model.toml", model.text);
  if (summary.test) {
    write_confusion(folder, *summary.test, class_names(model.data));
  } else {
    discard(folder / "confusion.csv");
  }
  if (summary.raster) {
    write_raster(folder, *summary.raster);
  } else {
    discard(folder / "raster.csv");
  }
  ordered_json report = report_object(model, summary);
  report["checksums"] = checksums_of(folder);
  write_sealed(folder, report);
}

void add_evaluation(const std::filesystem::path& folder, const TrainingModel& model,
                    const EvaluationResult& test, const SampleRaster& raster) {
  ordered_json report = io::read_report(folder / "report.json");
  // A crash between the files leaves a report that does not speak of those that changed.
  ordered_json meanwhile = report;
  for (const char* key : {"test", "raster"}) meanwhile.erase(key);
  for (const char* file : {"confusion.csv", "raster.csv"}) meanwhile["checksums"].erase(file);
  write_sealed(folder, meanwhile);
  write_confusion(folder, test, class_names(model.data));
  write_raster(folder, raster);
  report["test"] = test_json(test);
  report["raster"] = raster_json(raster);
  report["checksums"] = checksums_of(folder);
  write_sealed(folder, report);
}

void reopen_training_result(const std::filesystem::path& folder) {
  discard(folder / "report.json");
}

void remove_training_result(const std::filesystem::path& folder) {
  for (const char* file : kFiles) discard(folder / file);
}

}  // namespace tessera::training
