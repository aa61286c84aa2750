// Checkpoints of a training: a folder with the same two files that `tessera train` keeps.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "running_trainer.hpp"
#include "tessera/data.hpp"
#include "tessera/training_result.hpp"

namespace tessera::python {
namespace {

std::filesystem::path state_of(const std::filesystem::path& folder) { return folder / "checkpoint.safetensors"; }
std::filesystem::path weights_of(const std::filesystem::path& folder) { return folder / "weights.safetensors"; }

nb::tuple restore(RunningTrainer& t, const std::filesystem::path& folder) {
  const Busy busy(t.busy, "trainer");
  Resumed resumed;
  {
    const nb::gil_scoped_release unlocked;
    Checkpoint kept = load_checkpoint(state_of(folder));
    if (kept.model_digest != model_digest(t.model)) {
      throw InputError("The checkpoint '" + folder.string() + "' belongs to another network, other options or another seed.");
    }
    if (kept.best_epoch > 0) resumed.best = load_weights(weights_of(folder)).parameters;
    const std::vector<Tensor> before = t.trainer.parameters();
    t.trainer.set_parameters(kept.parameters);
    try {
      t.trainer.set_state(kept.state);
    } catch (...) {
      t.trainer.set_parameters(before);
      throw;
    }
    resumed.epochs = std::move(kept.epochs);
    resumed.best_epoch = kept.best_epoch;
    resumed.data_digest = kept.data_digest;
  }
  nb::list epochs;
  for (const EpochMetrics& e : resumed.epochs) epochs.append(metrics_of(e));
  const std::uint32_t best = resumed.best_epoch;
  t.resumed = std::move(resumed);
  return nb::make_tuple(epochs, best);
}

}  // namespace

TrainingKeeper::TrainingKeeper(const RunningTrainer& t, const SpikeDataset& data, std::optional<std::filesystem::path> folder)
    : folder_(std::move(folder)) {
  if (!folder_ && !t.resumed) return;
  const std::uint64_t digest = data_digest(data);
  if (t.resumed && t.resumed->data_digest != digest) throw InputError("The training that goes on was begun with other samples or labels.");
  if (t.resumed && t.resumed->epochs.size() >= t.model.options.epochs) {
    throw InputError("The training that goes on has " + std::to_string(t.resumed->epochs.size()) + " epochs already, and ends at " +
                     std::to_string(t.model.options.epochs) + "; make a trainer with more.");
  }
  kept_.model_digest = model_digest(t.model);
  kept_.data_digest = digest;
  if (!t.resumed) return;
  kept_.epochs = t.resumed->epochs;
  kept_.best_epoch = t.resumed->best_epoch;
  best_ = t.resumed->best;
}

/// The best weights first, so that the checkpoint always fits what lies beside it.
void TrainingKeeper::on_epoch(const EpochMetrics& epoch, bool best, const Trainer& trainer) {
  if (!folder_) return;
  kept_.epochs.push_back(epoch);
  kept_.parameters = trainer.parameters();
  kept_.state = trainer.state();
  if (best) {
    kept_.best_epoch = epoch.epoch + 1;
    best_ = kept_.parameters;
  }
  std::filesystem::create_directories(*folder_);
  if (!best_.empty()) save_weights(weights_of(*folder_), best_, kept_.model_digest, kept_.best_epoch);
  best_.clear();
  save_checkpoint(state_of(*folder_), kept_);
}

void bind_training_checkpoint(nb::module_& m) { m.def("restore_training", &restore); }

}  // namespace tessera::python
