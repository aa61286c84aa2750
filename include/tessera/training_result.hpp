// Result folders of trainings: metrics, weights, checkpoint, report; written while a training goes
// on, read by plots, `evaluate` and `--resume`.
//
//   model.toml               the training file as it was read
//   metrics.csv, .json       a line per epoch (EpochMetrics)
//   weights.safetensors      parameters after the epoch with the best validation accuracy
//   checkpoint.safetensors   parameters and optimiser state after the last epoch
//   report.json              what was trained, on what, how well; "kind": "training"
//   confusion.csv            test samples: a row per label, a column per prediction
//   raster.csv               spikes of one test sample: layer, step, neuron
//
// Weights and checkpoint carry a digest of themselves; report.json carries its own checksum and those
// of all other files. Who reads a file compares first; a file without is refused.
//
// Every file is written under a temporary name, flushed and renamed. The checkpoint holds the
// metrics so far, and is written after the weights: whenever a training is killed, the checkpoint
// and what it needs fit together.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tessera/training_file.hpp"

namespace tessera::training {

/// What resuming needs: with the model, a training goes on as if it had never been interrupted.
struct Checkpoint {
  std::uint64_t model_digest = 0;
  std::uint64_t data_digest = 0;     ///< of the training samples, see data_digest()
  std::vector<EpochMetrics> epochs;  ///< those that are done
  std::uint32_t best_epoch = 0;      ///< counted from 1; 0: none
  std::vector<Tensor> parameters;
  std::vector<Tensor> state;
};
/// Throws RunError (disk).
void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);
/// Throws InputError for a file that is missing, damaged, no checkpoint, or without a digest.
[[nodiscard]] Checkpoint load_checkpoint(const std::filesystem::path& file);

/// Weights as safetensors; the names are those of Trainer::parameters().
void save_weights(const std::filesystem::path& file, const std::vector<Tensor>& parameters,
                  std::uint64_t model_digest, std::uint32_t epoch);
struct Weights {
  std::vector<Tensor> parameters;
  std::uint64_t model_digest = 0;
  std::uint32_t epoch = 0;
};
/// Throws InputError for a file that is missing, damaged or without a digest.
[[nodiscard]] Weights load_weights(const std::filesystem::path& file);
/// Equal weights have equal digests, on any machine.
[[nodiscard]] std::uint64_t weights_digest(const std::vector<Tensor>& parameters);

/// metrics.csv and metrics.json.
void write_metrics(const std::filesystem::path& folder, const std::vector<EpochMetrics>& epochs);

/// Spikes of one sample in all layers, the input first.
struct SampleRaster {
  struct Layer {
    std::string name;
    std::uint64_t neurons = 0;
    std::vector<std::array<std::uint32_t, 2>> spikes;  ///< (step, neuron)
  };
  std::int32_t label = 0, prediction = 0;
  std::vector<Layer> layers;
};

/// What report.json says beside the model and this machine.
struct TrainingSummary {
  std::vector<EpochMetrics> epochs;
  std::uint32_t best_epoch = 0;  ///< counted from 1; 0: none
  /// NaN without held-out samples.
  double best_validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  bool stopped_early = false, interrupted = false;
  std::string failure;  ///< why the training could not go on; empty when it could
  Strategy strategy = Strategy::automatic;  ///< the one that was used
  int threads = 1;  ///< of a rank
  int ranks = 1;
  std::uint32_t slices = 1;
  Parallel parallel = Parallel::data;  ///< what was chosen
  /// Of spike lists over time, in the training batch that listed the most.
  std::uint64_t list_bytes = 0;
  std::uint64_t parameters = 0;      ///< number of trained values
  std::uint64_t weights_digest = 0;  ///< of the best epoch
  SubstrateUse substrate_use;        ///< of the last batch, where the model's options have a substrate
  double seconds = 0.0;              ///< all epochs of this run
  std::vector<ParameterOverride> overrides;
  std::uint64_t data_digest = 0;   ///< of the training samples, see data_digest()
  std::uint64_t test_samples = 0;  ///< of the data set; 0: there is nothing to evaluate
  std::optional<EvaluationResult> test;
  std::optional<SampleRaster> raster;  ///< of one test sample
  std::vector<std::string> warnings;
};
/// model.toml, confusion.csv and raster.csv when there are any (old ones are removed otherwise),
/// and report.json last.
void write_training_report(const std::filesystem::path& folder, const TrainingModel& model,
                           const TrainingSummary& summary);

/// Puts a later evaluation of the test samples into a result: confusion.csv, raster.csv,
/// report.json.
void add_evaluation(const std::filesystem::path& folder, const TrainingModel& model,
                    const EvaluationResult& test, const SampleRaster& raster);

/// Takes the report away when a finished training goes on: it would speak of files that change.
void reopen_training_result(const std::filesystem::path& folder);

/// Removes the files of an earlier training from a folder that is about to get a new one; others
/// stay.
void remove_training_result(const std::filesystem::path& folder);

/// A result folder, for plots and tables.
struct TrainingResult {
  std::filesystem::path folder;
  std::string model;
  std::vector<std::string> classes;
  std::vector<ParameterOverride> overrides;  ///< with which model.toml has to be read
  std::vector<EpochMetrics> epochs;
  std::uint32_t best_epoch = 0;  ///< counted from 1; 0: none
  std::uint64_t weights_digest = 0;  ///< of the weights beside the report
  std::map<std::string, std::string> checksums;  ///< of the other files, by name
  std::optional<double> test_accuracy;
  std::uint64_t seed = 0;
  double dt_ms = 1.0;
  std::uint32_t steps = 0;
  std::vector<std::vector<std::uint64_t>> confusion;  ///< [label][prediction]; empty: not evaluated
  std::optional<SampleRaster> raster;
};

/// Whether report.json of a folder says that it is a training's. False when there is none.
[[nodiscard]] bool is_training_result(const std::filesystem::path& folder);
/// Throws InputError: no such folder, no report, a file (the report as well) that is damaged.
[[nodiscard]] TrainingResult load_training_result(const std::filesystem::path& folder);

/// Throws InputError when a file of the result is missing or not what the report's checksum says.
void require_intact(const TrainingResult& result, const std::string& name);

// Plots as SVG documents. All throw InputError when the result does not hold what they show.

/// Loss of training and validation, accuracy below it, the best epoch marked.
[[nodiscard]] std::string loss_svg(const TrainingResult& result);
/// Spiking and listed fraction of every layer, epoch by epoch, and entries that were dropped.
[[nodiscard]] std::string activity_svg(const TrainingResult& result);
/// Share of the samples of a class (row) that were taken for each class (column).
[[nodiscard]] std::string confusion_svg(const TrainingResult& result);
/// Spikes of one test sample, input on top.
[[nodiscard]] std::string sample_raster_svg(const TrainingResult& result);

}  // namespace tessera::training
