// The loop over epochs: shuffled batches, validation, warnings, the best parameters.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/random.hpp"
#include "comm/agreement.hpp"
#include "train/activity_warnings.hpp"
#include "train/batch_loader.hpp"
#include "train/blas.hpp"
#include "train/optimizer.hpp"
#include "train/rank_failures.hpp"

namespace tessera::training {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::uint32_t> shuffled(std::vector<std::uint32_t> order, std::uint64_t seed,
                                    std::uint32_t epoch) {
  RandomStream stream(RandomKey(seed), Purpose::shuffle, epoch, 0);
  for (std::size_t k = order.size(); k > 1; --k) {
    std::swap(order[k - 1], order[stream.next_below(static_cast<std::uint32_t>(k))]);
  }
  return order;
}

void add_activity(std::vector<LayerActivity>& sum, const std::vector<LayerActivity>& batch) {
  if (sum.empty()) {
    sum = batch;
    return;
  }
  for (std::size_t k = 0; k < sum.size(); ++k) {
    sum[k].spikes += batch[k].spikes;
    sum[k].listed += batch[k].listed;
    sum[k].dropped_spikes += batch[k].dropped_spikes;
    sum[k].dropped_gradients += batch[k].dropped_gradients;
    sum[k].neuron_steps += batch[k].neuron_steps;
  }
}

void add_links(std::vector<LinkActivity>& sum, const std::vector<LinkActivity>& batch) {
  sum.resize(batch.size());
  for (std::size_t k = 0; k < batch.size(); ++k) {
    sum[k].name = batch[k].name;
    sum[k].events += batch[k].events;
    sum[k].dropped += batch[k].dropped;
    sum[k].late += batch[k].late;
  }
}

// Sums over samples, whatever the sizes of the batches. Means are those of at least one sample.
class Tally {
 public:
  void add(double loss, std::uint32_t samples, std::uint32_t correct) {
    loss_ += loss * samples;
    samples_ += samples;
    correct_ += correct;
  }
  void add(const BatchResult& result) {
    add(result.loss, result.samples, result.correct);
    add_activity(layers_, result.layers);
    add_rewiring(result);
    add_links(links_, result.links);
    spiked_.resize(result.neuron_spikes.size());
    for (std::size_t k = 0; k < spiked_.size(); ++k) {
      const std::vector<std::uint32_t>& spikes = result.neuron_spikes[k];
      spiked_[k].resize(spikes.size());
      for (std::size_t j = 0; j < spikes.size(); ++j) {
        if (spikes[j] != 0) spiked_[k][j] = 1;
      }
    }
  }
  [[nodiscard]] const std::vector<LinkActivity>& links() const { return links_; }
  [[nodiscard]] const std::vector<RewiringCounts>& rewiring() const { return rewiring_; }
  [[nodiscard]] double rewiring_seconds() const { return rewiring_seconds_; }
  [[nodiscard]] std::uint64_t samples() const { return samples_; }
  [[nodiscard]] double mean_loss() const { return loss_ / static_cast<double>(samples_); }
  [[nodiscard]] double accuracy() const {
    return static_cast<double>(correct_) / static_cast<double>(samples_);
  }
  /// A neuron is silent when it was so in every batch.
  [[nodiscard]] std::vector<LayerActivity> layers() const {
    std::vector<LayerActivity> all = layers_;
    for (std::size_t k = 0; k < all.size(); ++k) {
      all[k].silent_neurons =
          static_cast<std::uint32_t>(std::count(spiked_[k].begin(), spiked_[k].end(), 0));
    }
    return all;
  }

 private:
  void add_rewiring(const BatchResult& result) {
    rewiring_seconds_ += result.rewiring_seconds;
    rewiring_.resize(result.rewiring.size());
    for (std::size_t k = 0; k < rewiring_.size(); ++k) {
      RewiringCounts& sum = rewiring_[k];
      const RewiringCounts& more = result.rewiring[k];
      sum.name = more.name;
      sum.synapses = more.synapses;
      sum.eliminated += more.eliminated;
      sum.formed += more.formed;
      sum.refused += more.refused;
    }
  }

  double loss_ = 0.0;
  std::uint64_t samples_ = 0, correct_ = 0;
  std::vector<RewiringCounts> rewiring_;
  double rewiring_seconds_ = 0.0;
  std::vector<LinkActivity> links_;
  std::vector<LayerActivity> layers_;
  std::vector<std::vector<std::uint8_t>> spiked_;  // of every neuron: 1 when it ever did
};

bool better(const EpochMetrics& a, const EpochMetrics& b) {
  // Training metrics choose where nothing was held out.
  const auto accuracy = [](const EpochMetrics& m) {
    return m.validated() ? m.validation_accuracy : m.accuracy;
  };
  const auto loss = [](const EpochMetrics& m) {
    return m.validated() ? m.validation_loss : m.loss;
  };
  return accuracy(a) != accuracy(b) ? accuracy(a) > accuracy(b) : loss(a) < loss(b);
}

// Before anything is read: a data set that cannot belong to the network.
void check_data(const Network& network, LossKind loss, const SpikeDataset& data) {
  std::vector<Problem> problems;
  if (data.has_targets() && loss != LossKind::squared_error_per_step) {
    Problem problem;
    problem.message = fmt::format("The data set '{}' has targets for every step: the loss has to be "
                                  "squared_error_per_step, not {}.",
                                  data.name(), to_string(loss));
    problems.push_back(std::move(problem));
  }
  const Shape shape = data.shape();
  const auto text = [](const Shape& s) {
    return fmt::format("{} x {} x {}", s.height, s.width, s.channels);
  };
  const auto expect = [&](bool good, const std::string& what, const std::string& found,
                          const std::string& needed) {
    if (good) return;
    Problem problem;
    problem.message = fmt::format("The data set '{}' has {} {}, but the network '{}' needs {}.",
                                  data.name(), what, found, network.name, needed);
    problems.push_back(std::move(problem));
  };
  expect(shape == network.input, "the shape", text(shape), text(network.input));
  expect(data.steps() == network.steps, "the number of steps", fmt::format("{}", data.steps()),
         fmt::format("{}", network.steps));
  expect(data.classes() == network.classes, "the number of classes",
         fmt::format("{}", data.classes()), fmt::format("{}", network.classes));
  if (!problems.empty()) throw InputError(std::move(problems));
}

// "3, 7, 12, ..."
std::string first_of(std::vector<std::size_t> numbers) {
  constexpr std::size_t kShown = 10;
  const bool more = numbers.size() > kShown;
  if (more) numbers.resize(kShown);
  return fmt::format("{}{}", fmt::join(numbers, ", "), more ? ", ..." : "");
}

const SpikeDataset& checked(const Trainer& trainer, const SpikeDataset& data) {
  check_data(trainer.network(), trainer.options().loss.kind, data);
  return data;
}

bool shares_layers(const Trainer& trainer) { return trainer.options().parallel == Parallel::model; }

class Fitting {
 public:
  Fitting(Trainer& trainer, const SpikeDataset& data, FitObserver& observer,
          std::vector<EpochMetrics> finished)
      : trainer_(trainer),
        data_(checked(trainer, data)),
        ranks_(trainer.options().communicator),
        asked_(observer),
        observer_(ranks_.first() ? observer : nobody_),
        options_(trainer.options()),
        samples_(split(data, options_.validation_fraction, options_.seed)) {
    if (samples_.training.empty()) throw InputError("There is no sample left for training.");
    epoch_batches_ = (samples_.training.size() + options_.batch - 1) / options_.batch;
    result_.epochs = std::move(finished);
    for (std::uint32_t k = 1; k < result_.epochs.size(); ++k) {
      if (better(result_.epochs[k], result_.epochs[result_.best_epoch])) result_.best_epoch = k;
    }
    fresh_ = result_.epochs.empty();
  }

  FitResult run() {
    start_ = Clock::now();
    trainer_.plan_batches(epoch_batches_ * options_.epochs);
    tell_samples();
    if (fresh_) initialise();
    while (result_.epochs.size() < options_.epochs && !out_of_patience()) {
      if (!run_epoch(static_cast<std::uint32_t>(result_.epochs.size()))) {
        result_.interrupted = true;
        break;
      }
    }
    if (!result_.epochs.empty()) {
      result_.best_validation_accuracy = result_.epochs[result_.best_epoch].validation_accuracy;
    }
    result_.stopped_early = !result_.interrupted && result_.epochs.size() < options_.epochs;
    return std::move(result_);
  }

 private:
  void initialise() {
    const std::vector<std::uint32_t> order = shuffled(samples_.training, options_.seed, 0);
    BatchLoader loader(
        data_,
        {order.begin(),
         order.begin() +
             std::min<std::ptrdiff_t>(options_.batch, static_cast<std::ptrdiff_t>(order.size()))},
        options_.batch, 1);
    SpikeBatch batch;
    if (next(loader, batch)) trainer_.initialise_activity(batch);
  }

  // What a rule proposed that cannot be.
  void tell_refused(const EpochMetrics& m) {
    for (const RewiringCounts& c : m.rewiring) {
      if (c.refused == 0) continue;
      observer_.on_warning(fmt::format(
          "Epoch {}: the rule that rewires '{}' proposed {} pairs that have a synapse or do not exist; nothing "
          "was added there.",
          m.epoch + 1, c.name, c.refused));
    }
  }

  // What a glance at the labels shows.
  void tell_samples() {
    std::vector<std::uint64_t> of_class(data_.classes());
    for (std::size_t i = 0; i < data_.size(); ++i)
      ++of_class[static_cast<std::size_t>(data_.label(i))];
    std::vector<std::size_t> missing;
    for (std::size_t c = 0; c < of_class.size(); ++c) {
      if (of_class[c] == 0) missing.push_back(c);
    }
    if (!missing.empty()) {
      observer_.on_warning(fmt::format(
          "The data set '{}' has no training sample of {} of its {} classes ({}): they cannot be "
          "learned.",
          data_.name(), missing.size(), of_class.size(), first_of(missing)));
    }
    if (options_.validation_fraction > 0.0 && samples_.validation.empty()) {
      observer_.on_warning(
          "Nothing can be held out for validation: every class has a single sample. The training "
          "accuracy chooses the best epoch.");
    }
  }

  [[nodiscard]] bool out_of_patience() const {
    return options_.patience > 0 &&
           result_.epochs.size() > result_.best_epoch + std::size_t{options_.patience};
  }

  // False when the observer asked to stop.
  bool run_epoch(std::uint32_t epoch) {
    const Clock::time_point begin = Clock::now();
    BatchLoader loader(data_, epoch + 1, shares(shuffled(samples_.training, options_.seed, epoch)),
                       BatchLoader::readers_for(trainer_.options().threads));
    const std::uint64_t all = epoch_batches_ * options_.epochs;
    Tally tally;
    SpikeBatch batch;
    double factor = 1.0;
    for (std::uint64_t n = 0; next(loader, batch); ++n) {
      factor = schedule_factor(options_.optimizer, epoch * epoch_batches_ + n, all, epoch_batches_);
      const BatchResult result = train(batch, batch_samples(n), factor, epoch, n);
      tally.add(result);
      result_.list_bytes = std::max(result_.list_bytes, trainer_.list_bytes());
      if (done_++ == 0) tell_strategy();
      report(epoch, n, tally, result, seconds_since(begin));
      if (stop_requested()) return false;
    }
    EpochMetrics m;
    m.epoch = epoch;
    m.loss = tally.mean_loss();
    m.accuracy = tally.accuracy();
    m.learning_rate = options_.optimizer.learning_rate * factor;
    m.theta_grad = trainer_.theta_grad();
    m.seconds = seconds_since(begin);
    m.samples_per_second = static_cast<double>(tally.samples()) / m.seconds;
    m.layers = tally.layers();
    m.rewiring = tally.rewiring();
    m.rewiring_seconds = tally.rewiring_seconds();
    m.links = tally.links();
    tell_refused(m);
    together(ranks_, [&] { expect_finite_parameters(epoch); });
    validate_epoch(m);
    warn_of_activity(trainer_.network(), m,
                     result_.epochs.empty() ? nullptr : &result_.epochs.back(), observer_);
    trainer_.gather_state();
    const bool best = result_.epochs.empty() || better(m, result_.epochs[result_.best_epoch]);
    if (best) {
      result_.best_epoch = epoch;
      if (!shares_layers(trainer_) || ranks_.first()) result_.best_parameters = trainer_.parameters();
    }
    result_.epochs.push_back(m);
    ranks_.enter("training: keeping an epoch");
    together(ranks_, [&] { observer_.on_epoch(m, best, trainer_); });
    return true;
  }

  [[nodiscard]] std::uint32_t batch_samples(std::uint64_t n) const {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(options_.batch, samples_.training.size() - n * options_.batch));
  }

  // What this rank reads of the batches of an epoch: its share, and all of the first batch of a run, which
  // may choose the strategy.
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> shares(const std::vector<std::uint32_t>& order) const {
    std::vector<std::vector<std::uint32_t>> all;
    for (std::uint64_t n = 0; n < epoch_batches_; ++n) {
      const std::uint32_t samples = batch_samples(n);
      const SampleRange own = n == 0 && done_ == 0 ? SampleRange{0, samples} : trainer_.share(samples);
      const auto first = order.begin() + static_cast<std::ptrdiff_t>(n * options_.batch);
      all.emplace_back(first + own.begin, first + own.end);
    }
    return all;
  }

  BatchResult train(const SpikeBatch& batch, std::uint32_t samples, double factor, std::uint32_t epoch,
                    std::uint64_t n) {
    try {
      return trainer_.train_share(batch, samples, factor);
    } catch (const DivergedError& error) {
      throw DivergedError(fmt::format("Epoch {}, batch {}: {}", epoch + 1, n + 1, error.what()),
                          error.layer);
    }
  }

  // Once the first batch has settled it: what the strategy ignores, and how it could be faster.
  void tell_strategy() {
    if (!trainer_.strategy_note().empty()) observer_.on_warning(trainer_.strategy_note());
    if (trainer_.strategy() == Strategy::sparse) return;
    if (trainer_.strategy() == Strategy::dense && !blas_advice().empty()) {
      observer_.on_warning(blas_advice());
    }
    for (const Layer& layer : trainer_.network().layers) {
      if (layer.max_activity >= 1.0) continue;
      observer_.on_warning(
          fmt::format("max_activity of layer '{}' has no effect: the {} strategy keeps no lists.",
                      layer.name, to_string(trainer_.strategy())));
    }
  }

  // The last update of an epoch has no forward pass behind it that would notice; what is handed out
  // is saved.
  void expect_finite_parameters(std::uint32_t epoch) const {
    const std::string name = trainer_.not_finite();
    if (name.empty()) return;
    const std::string layer = name.substr(0, name.rfind('.'));
    throw DivergedError(
        fmt::format(
            "Epoch {}, last batch: '{}' of layer '{}' is no longer a finite number. Try a "
            "smaller learning rate, gradient clipping or a longer warm-up.",
            epoch + 1, name, layer),
        layer);
  }

  // What a rank finds in a batch of validation samples.
  struct Validated {
    double loss;
    std::uint32_t samples, correct;
  };

  // Ranks share the batches; they are added in their order, whoever has evaluated them.
  void validate_epoch(EpochMetrics& m) {
    if (samples_.validation.empty()) return;
    ranks_.enter("training: validation");
    std::vector<Validated> own;
    try {
      if (shares_layers(trainer_)) {
        own = validate_together();
      } else {
        together(ranks_, [&] { own = validate_share(); });
      }
    } catch (const DivergedError& error) {
      throw DivergedError(fmt::format("Epoch {}, validation: {}", m.epoch + 1, error.what()),
                          error.layer);
    }
    Tally tally;
    for (const Validated& v : shares_layers(trainer_) ? own : ranks_.all_of(own)) tally.add(v.loss, v.samples, v.correct);
    m.validation_loss = tally.mean_loss();
    m.validation_accuracy = tally.accuracy();
  }

  std::vector<Validated> validate_share() {
    const std::uint64_t n = samples_.validation.size(), batches = (n + options_.batch - 1) / options_.batch;
    const auto first_of = [&](int rank) {
      const std::uint64_t batch = static_cast<std::uint64_t>(rank) * batches / static_cast<std::uint64_t>(ranks_.size());
      return samples_.validation.begin() + static_cast<std::ptrdiff_t>(std::min(n, batch * options_.batch));
    };
    BatchLoader loader(data_, {first_of(ranks_.rank()), first_of(ranks_.rank() + 1)}, options_.batch, 0,
                       BatchLoader::readers_for(trainer_.options().threads));
    std::vector<Validated> own;
    SpikeBatch batch;
    while (loader.next(batch)) {
      const BatchResult result = trainer_.evaluate(batch);
      own.push_back({result.loss, result.samples, result.correct});
    }
    return own;
  }

  // Ranks that share layers evaluate every batch together.
  std::vector<Validated> validate_together() {
    BatchLoader loader(data_, samples_.validation, options_.batch, 0,
                       BatchLoader::readers_for(trainer_.options().threads));
    std::vector<Validated> own;
    SpikeBatch batch;
    while (next(loader, batch)) {
      const BatchResult result = trainer_.evaluate(batch);
      own.push_back({result.loss, result.samples, result.correct});
    }
    return own;
  }

  void report(std::uint32_t epoch, std::uint64_t n, const Tally& tally, const BatchResult& last,
              double seconds) {
    TrainingProgress p;
    p.epoch = epoch;
    p.epochs = options_.epochs;
    p.batch = n + 1;
    p.batches = epoch_batches_;
    p.loss = tally.mean_loss();
    p.accuracy = tally.accuracy();
    p.samples_per_second = static_cast<double>(tally.samples()) / std::max(seconds, 1e-9);
    const std::uint64_t left = (options_.epochs - epoch) * epoch_batches_ - (n + 1);
    p.seconds_left = seconds_since(start_) / static_cast<double>(done_) * static_cast<double>(left);
    p.layers = last.layers;
    p.rewiring = tally.rewiring();
    observer_.on_batch(p);
  }

  bool next(BatchLoader& loader, SpikeBatch& batch) {
    bool more = false;
    ranks_.enter("training: reading samples");
    together(ranks_, [&] { more = loader.next(batch); });
    return more;
  }

  [[nodiscard]] bool stop_requested() {
    std::uint64_t any = asked_.stop_requested() ? 1 : 0;
    ranks_.most({&any, 1});
    return any > 0;
  }

  Trainer& trainer_;
  const SpikeDataset& data_;
  Agreement ranks_;
  FitObserver nobody_;
  FitObserver& asked_;     ///< whether to stop
  FitObserver& observer_;  ///< gets everything else, on rank 0
  Options options_;
  SampleSplit samples_;
  std::uint64_t epoch_batches_ = 0;
  std::uint64_t done_ = 0;
  bool fresh_ = true;
  Clock::time_point start_;
  FitResult result_;
};

}  // namespace

FitResult fit(Trainer& trainer, const SpikeDataset& training, FitObserver& observer,
              std::vector<EpochMetrics> finished) {
  return Fitting(trainer, training, observer, std::move(finished)).run();
}

EvaluationResult evaluate(Trainer& trainer, const SpikeDataset& data, FitObserver& observer) {
  (void)checked(trainer, data);
  if (data.size() == 0) {
    throw InputError(fmt::format("The data set '{}' has no samples to evaluate.", data.name()));
  }
  EvaluationResult result;
  result.confusion.assign(data.classes(), std::vector<std::uint64_t>(data.classes(), 0));
  std::vector<std::uint32_t> order(data.size());
  std::iota(order.begin(), order.end(), 0u);
  BatchLoader loader(data, std::move(order), trainer.options().batch, 0,
                     BatchLoader::readers_for(trainer.options().threads));
  const Agreement ranks(shares_layers(trainer) ? trainer.options().communicator : nullptr);
  const auto goes_on = [&](SpikeBatch& batch) {
    std::uint64_t stop = 0;
    together(ranks, [&] { stop = !loader.next(batch) || observer.stop_requested() ? 1 : 0; });
    ranks.most({&stop, 1});
    return stop == 0;
  };
  const Clock::time_point start = Clock::now();
  Tally tally;
  SpikeBatch batch;
  for (std::uint64_t n = 1; goes_on(batch); ++n) {
    const BatchResult one = trainer.evaluate(batch);
    tally.add(one);
    for (std::uint32_t b = 0; b < one.samples; ++b) {
      ++result.confusion[static_cast<std::size_t>(batch.label[b])]
                        [static_cast<std::size_t>(one.prediction[b])];
    }
    TrainingProgress p;
    p.epochs = 1;
    p.batch = n;
    p.batches = loader.batches();
    p.loss = tally.mean_loss();
    p.accuracy = tally.accuracy();
    p.layers = one.layers;
    p.samples_per_second =
        static_cast<double>(tally.samples()) / std::max(seconds_since(start), 1e-9);
    p.seconds_left =
        seconds_since(start) / static_cast<double>(n) * static_cast<double>(p.batches - n);
    observer.on_batch(p);
  }
  result.loss = tally.mean_loss();
  result.accuracy = tally.accuracy();
  result.layers = tally.layers();
  result.links = tally.links();
  return result;
}

}  // namespace tessera::training
