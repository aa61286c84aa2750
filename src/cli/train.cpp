// tessera train: fit a network to labelled spike trains, keep the best weights, report.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "base/printable.hpp"
#include "base/process_limits.hpp"
#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "cli/output_folder.hpp"
#include "cli/ranks.hpp"
#include "cli/substrate.hpp"
#include "cli/text.hpp"
#include "cli/train_settings.hpp"
#include "cli/training_progress.hpp"
#include "cli/training_session.hpp"
#include "tessera/result.hpp"
#include "tessera/training_result.hpp"

namespace tessera::cli {
namespace {

using namespace training;

std::filesystem::path checkpoint_of(const TrainSettings& s) {
  return s.out / "checkpoint.safetensors";
}
std::filesystem::path weights_of(const TrainSettings& s) { return s.out / "weights.safetensors"; }

// Epochs of milliseconds are not worth a file each.
constexpr double kLongestUnwritten = 1.0;  // seconds

// Shows every epoch and keeps it.
class EpochKeeper : public FitObserver {
  using Clock = std::chrono::steady_clock;

 public:
  EpochKeeper(const TrainSettings& settings, TrainingProgressDisplay& display, Checkpoint start,
              std::uint64_t data)
      : settings_(settings), display_(display), kept_(std::move(start)) {
    kept_.model_digest = model_digest(settings.model);
    kept_.data_digest = data;
  }

  void on_batch(const TrainingProgress& progress) override { display_.on_batch(progress); }
  void on_warning(const std::string& sentence) override { display_.on_warning(sentence); }
  [[nodiscard]] bool stop_requested() override { return display_.stop_requested(); }

  void on_epoch(const EpochMetrics& epoch, bool best, const Trainer& trainer) override {
    kept_.epochs.push_back(epoch);
    kept_.parameters = trainer.parameters();
    kept_.state = trainer.state();
    if (best) {
      kept_.best_epoch = epoch.epoch + 1;
      best_ = kept_.parameters;
    }
    unwritten_ = true;
    const double pause = std::chrono::duration<double>(Clock::now() - last_written_).count();
    if (!written_ || pause >= kLongestUnwritten) write();
    display_.on_epoch(epoch, best, trainer);
  }

  /// Writes what was not written yet: the best weights first, then the checkpoint, then the
  /// metrics, so that the checkpoint always fits what lies beside it.
  void write() {
    if (!unwritten_) return;
    if (!written_) prepare_folder();
    if (!best_.empty())
      save_weights(weights_of(settings_), best_, kept_.model_digest, kept_.best_epoch);
    best_.clear();
    save_checkpoint(checkpoint_of(settings_), kept_);
    write_metrics(settings_.out, kept_.epochs);
    written_ = true;
    unwritten_ = false;
    last_written_ = Clock::now();
  }

  [[nodiscard]] const Checkpoint& kept() const { return kept_; }

 private:
  // Late, so that a training that never gets through an epoch leaves what was there before.
  void prepare_folder() {
    prepare_result_folder(settings_.out, settings_.force || settings_.resume);
    if (settings_.force) remove_training_result(settings_.out);
    if (settings_.resume) reopen_training_result(settings_.out);
  }

  const TrainSettings& settings_;
  TrainingProgressDisplay& display_;
  Checkpoint kept_;
  std::vector<Tensor> best_;  // of an epoch that is not written yet
  bool unwritten_ = false, written_ = false;
  Clock::time_point last_written_;
};

Checkpoint resume(Trainer& trainer, const TrainSettings& settings, std::uint64_t data) {
  if (!settings.resume) return {};
  Checkpoint start = load_checkpoint(checkpoint_of(settings));
  const std::string file = checkpoint_of(settings).string();
  if (start.model_digest != model_digest(settings.model)) {
    throw InputError(
        fmt::format("--resume: the checkpoint '{}' belongs to another model, data set or seed; "
                    "train into another folder, or replace it with --force.",
                    file));
  }
  if (start.data_digest != data) {
    throw InputError(
        fmt::format("--resume: the checkpoint '{}' was trained on other samples or labels than the "
                    "data set has now (fingerprint {}, now {}): bring the old files back, or train "
                    "into another folder.",
                    file, digest_text(start.data_digest), digest_text(data)));
  }
  if (start.epochs.size() >= settings.model.options.epochs) {
    throw InputError(
        fmt::format("--resume: the checkpoint '{}' has {} already, and the training "
                    "ends at {}; ask for more with --epochs.",
                    file, counted(start.epochs.size(), "epoch"), settings.model.options.epochs));
  }
  trainer.set_parameters(start.parameters);
  trainer.set_state(start.state);
  return start;
}

TrainingSummary summary_of(const TrainSettings& settings, const Trainer& trainer,
                           const Checkpoint& kept, const TrainingProgressDisplay& display) {
  TrainingSummary s;
  s.epochs = kept.epochs;
  s.data_digest = kept.data_digest;
  s.best_epoch = kept.best_epoch;
  for (const EpochMetrics& epoch : kept.epochs) {
    s.seconds += epoch.seconds;
    if (epoch.epoch + 1 == kept.best_epoch) s.best_validation_accuracy = epoch.validation_accuracy;
  }
  s.strategy = trainer.strategy();
  const int asked = trainer.options().threads;
  s.threads = asked > 0 ? asked : process_limits().threads();
  if (trainer.options().communicator) s.ranks = trainer.options().communicator->size();
  s.slices = trainer.options().slices;
  s.parallel = trainer.options().parallel;
  for (const Tensor& tensor : kept.parameters) {
    const bool trained = !tensor.name.ends_with("weight_indices");  // which synapses there are
    s.parameters += trained ? tensor.values.size() : 0;
  }
  s.overrides = settings.overrides;
  s.warnings = display.warnings();
  return s;
}

// The best epoch's weights, on samples that training has not seen. `ranks`: those that evaluate together.
void test(const Agreement& ranks, Trainer& trainer, const SpikeDataset& data, const TrainSettings& settings,
          TrainingProgressDisplay& display, TrainingSummary& summary) {
  Weights best;
  on_first(ranks, [&] { best = load_weights(weights_of(settings)); });
  if (ranks.first()) summary.weights_digest = weights_digest(best.parameters);
  trainer.spread_parameters(best.parameters);
  best = {};
  summary.test_samples = data.size();
  if (summary.interrupted || data.size() == 0) return;
  display.expect(0);
  display.phase("evaluating the test samples");
  const EvaluationResult result = evaluate(trainer, data, display);
  std::uint64_t stopped = display.stop_requested() ? 1 : 0;
  ranks.most({&stopped, 1});
  if (stopped > 0) return;  // some of the samples are not the test; see `evaluate`
  for (const std::string& note : data.notes())
    display.on_note(fmt::format("{} test samples: {}", data.name(), note));
  summary.warnings = display.warnings();
  summary.test = result;
  summary.raster = raster_of(trainer, data, 0);
}

std::string best_text(const TrainingSummary& s) {
  for (const EpochMetrics& epoch : s.epochs) {
    if (epoch.epoch + 1 != s.best_epoch) continue;
    return epoch.validated() ? fmt::format("{}, validation accuracy {:.2f} %", s.best_epoch,
                                           100.0 * epoch.validation_accuracy)
                             : fmt::format(
                                   "{}, training accuracy {:.2f} % (nothing is held out "
                                   "for validation)",
                                   s.best_epoch, 100.0 * epoch.accuracy);
  }
  return "none";
}

// Of the last epoch.
void show_rewiring(const EpochMetrics& epoch) {
  for (const RewiringCounts& counts : epoch.rewiring) {
    fmt::print("rewiring    {}: {}, {} formed and {} eliminated in the last epoch\n", counts.name,
               counted(counts.synapses, "synapse"), grouped(counts.formed), grouped(counts.eliminated));
  }
  if (!epoch.rewiring.empty())
    fmt::print("            {:.2g} % of its time\n", 100.0 * epoch.rewiring_seconds / epoch.seconds);
}

std::string test_text(const TrainingSummary& s) {
  if (s.test) {
    return fmt::format("accuracy {:.2f} %, loss {:.4f}", 100.0 * s.test->accuracy, s.test->loss);
  }
  return s.test_samples == 0 ? "none: the data set has no test samples"
                             : "not evaluated; 'tessera evaluate' does it";
}

void show(const TrainSettings& settings, const TrainingSummary& s) {
  const training::Network& network = settings.model.network;
  std::string workers = counted(static_cast<std::uint64_t>(s.threads), "thread");
  if (s.ranks > 1)
    workers = fmt::format("{} with {}", counted(static_cast<std::uint64_t>(s.ranks), "rank"), workers);
  if (s.slices > 1) workers += fmt::format(", {}", counted(s.slices, "slice"));
  if (s.parallel == Parallel::model) workers += " of every layer";
  fmt::print("{}: {} trained with the {} strategy, {}, seed {}\n\n", network.name,
             counted(s.parameters, "parameter"), to_string(s.strategy), workers, settings.model.options.seed);
  fmt::print("{}\n", layer_table(network, s.epochs.back().layers));
  fmt::print("epochs      {} of {}{}\n", s.epochs.size(), settings.model.options.epochs,
             s.interrupted     ? ", interrupted: --resume goes on"
             : s.stopped_early ? ", stopped early: the validation did not get better"
                               : "");
  fmt::print("best epoch  {}\n", best_text(s));
  fmt::print("test        {}\n", test_text(s));
  fmt::print("time        {} s, {} samples/s in the last epoch\n", number_text(s.seconds, 1),
             grouped(static_cast<std::uint64_t>(s.epochs.back().samples_per_second)));
  show_rewiring(s.epochs.back());
  if (const auto& substrate = settings.model.options.substrate)
    fmt::print("{}", substrate_text(*substrate, s.substrate_use, s.epochs.back().links));
  fmt::print("lists       {} over time at most, for one batch\n", bytes_text(s.list_bytes));
  fmt::print("weights     digest {}\n", digest_text(s.weights_digest));
  fmt::print("result      {}\n", printable(settings.out.string()));
}

// A training that could not go on leaves a report that says so beside its last good epoch.
void report_failure(const TrainSettings& settings, const Trainer& trainer, const Checkpoint& kept,
                    const TrainingProgressDisplay& display, std::uint64_t test_samples,
                    const std::string& why) {
  if (kept.epochs.empty()) return;
  TrainingSummary summary = summary_of(settings, trainer, kept, display);
  summary.test_samples = test_samples;
  summary.list_bytes = trainer.list_bytes();
  summary.failure = why;
  if (kept.best_epoch > 0)
    summary.weights_digest = weights_digest(load_weights(weights_of(settings)).parameters);
  write_training_report(settings.out, settings.model, summary);
}

}  // namespace

namespace {

// Ranks that read different data would train something that nobody asked for.
void require_same(const Agreement& ranks, const TrainSettings& settings, std::uint64_t data) {
  struct Identity {
    std::uint64_t model, data;
    std::uint32_t slices, epochs;
    Parallel parallel;
    std::uint32_t unused = 0;
  };
  Agreement::Identity build;
  build.build = Agreement::this_build();
  ranks.settle_construction(nullptr, build);
  const Options& options = settings.model.options;
  const Identity own{model_digest(settings.model), data, options.slices, options.epochs, options.parallel};
  const std::vector<Identity> all = ranks.all(own);
  for (std::size_t r = 1; r < all.size(); ++r) {
    const char* what = all[r].model != all[0].model     ? "models or seeds"
                       : all[r].data != all[0].data     ? "training samples or labels"
                       : all[r].slices != all[0].slices ? "numbers of slices"
                       : all[r].epochs != all[0].epochs ? "numbers of epochs"
                       : all[r].parallel != all[0].parallel ? "ways to share the work (parallel)"
                                                        : nullptr;
    if (what == nullptr) continue;
    throw InputError(
        fmt::format("Ranks 0 and {} have different {}: all ranks of a training need the same.", r, what));
  }
}

// What is opened on every rank.
struct Data {
  std::unique_ptr<SpikeDataset> training, test;
  std::uint64_t fingerprint = 0;
};
Data open_data(const Agreement& ranks, const TrainSettings& settings) {
  const TrainingModel& model = settings.model;
  Data data = together(ranks, [&] {
    Data opened;
    opened.training = open_dataset(model.data, settings.data, Split::train, model.options.seed);
    opened.test = open_dataset(model.data, settings.data, Split::test, model.options.seed);
    opened.fingerprint = data_digest(*opened.training);
    return opened;
  });
  require_same(ranks, settings, data.fingerprint);
  return data;
}

// The test, then the last files and the table, on rank 0. Ranks that share layers have to test together.
void finish(const Agreement& ranks, Trainer& trainer, const TrainSettings& settings, const Data& data,
            const FitResult& fitted, EpochKeeper& keeper, TrainingProgressDisplay& display) {
  for (const std::string& note : data.training->notes())
    display.on_note(fmt::format("{} training samples: {}", data.training->name(), note));
  TrainingSummary summary = summary_of(settings, trainer, keeper.kept(), display);
  summary.list_bytes = fitted.list_bytes;
  summary.substrate_use = trainer.substrate_use();
  summary.interrupted = fitted.interrupted;
  summary.stopped_early = fitted.stopped_early;
  if (trainer.options().parallel == Parallel::model) {
    test(ranks, trainer, *data.test, settings, display, summary);
  } else {
    on_first(ranks, [&] { test(Agreement(nullptr), trainer, *data.test, settings, display, summary); });
  }
  display.clear();
  on_first(ranks, [&] {
    write_training_report(settings.out, settings.model, summary);
    if (!settings.quiet) show(settings, summary);
  });
}

TrainSettings resolve_on(const Agreement& ranks, const TrainArguments& arguments) {
  TrainSettings settings =
      together(ranks, [&] { return resolve(arguments, ranks.communicator(), ranks.first()); });
  settings.quiet = settings.quiet || !ranks.first();
  return settings;
}

// With weights that were given, or drawn ones. Those that were given are not scaled to an initial activity.
Trainer begin(const Agreement& ranks, const TrainSettings& settings, TrainingProgressDisplay& display) {
  training::Network network = settings.model.network;
  if (settings.weights.empty()) return together(ranks, [&] { return Trainer(network, settings.model.options); });
  for (Layer& layer : network.layers) layer.initial_activity = 0.0;
  Trainer trainer = together(ranks, [&] { return Trainer(network, settings.model.options); });
  std::vector<Tensor> weights;
  on_first(ranks, [&] { weights = load_weights(settings.weights).parameters; });
  trainer.spread_parameters(weights);
  if (ranks.first())
    display.on_note(fmt::format("begins with the weights of '{}' (digest {})", printable(settings.weights.string()), digest_text(weights_digest(weights))));
  return trainer;
}

int train_on(const std::shared_ptr<Communicator>& communicator, const TrainArguments& arguments) {
  const Agreement ranks(communicator);
  const TrainSettings settings = resolve_on(ranks, arguments);
  const TrainingModel& model = settings.model;
  on_first(ranks, [&] { require_writable(settings.out); });
  const InterruptGuard interrupt;
  std::optional<OutputLock> lock;
  on_first(ranks, [&] { lock.emplace(settings.out); });
  TrainingProgressDisplay display(settings.quiet, interrupt);
  display.phase("opening the data");
  const Data data = open_data(ranks, settings);
  Trainer trainer = begin(ranks, settings, display);
  (void)trainer.calibrate();  // a resumed training has its own
  EpochKeeper keeper(settings, display,
                     together(ranks, [&] { return resume(trainer, settings, data.fingerprint); }),
                     data.fingerprint);
  display.expect(model.options.epochs);

  FitResult fitted;
  try {
    fitted = fit(trainer, *data.training, keeper, keeper.kept().epochs);
  } catch (const DivergedError& error) {
    display.clear();
    on_first(ranks, [&] {
      keeper.write();
      report_failure(settings, trainer, keeper.kept(), display, data.test->size(), error.what());
    });
    throw;
  }
  display.clear();
  on_first(ranks, [&] { keeper.write(); });
  if (fitted.epochs.empty()) return kInterrupted;  // nothing was trained, nothing is written
  finish(ranks, trainer, settings, data, fitted, keeper, display);
  std::uint64_t interrupted = interrupt.requested() ? 1 : 0;
  ranks.most({&interrupted, 1});
  return interrupted > 0 ? kInterrupted : kOk;
}

}  // namespace

int train(const TrainArguments& arguments) {
  return on_ranks({}, [&](const std::shared_ptr<Communicator>& ranks) { return train_on(ranks, arguments); });
}

}  // namespace tessera::cli
