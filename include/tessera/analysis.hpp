// Statistics of spiking activity: rates, irregularity, correlation, and comparison with a
// reference.
//
// Definitions (docs/statistics.md): the rate of a neuron is its number of spikes in the window over
// the window's length; CV is the standard deviation (divided by n, not n - 1) of a neuron's
// inter-spike intervals over their mean, for neurons with more than two spikes in the window;
// correlation is Pearson's coefficient of the spike counts of two neurons in bins of 2 ms, over all
// pairs of a random subsample of 1,000 neurons, those without a spike left out. Populations are
// compared by the two-sample Kolmogorov-Smirnov distance of these distributions (van Albada et al.
// 2018, doi 10.3389/fnins.2018.00291).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tessera/result.hpp"

namespace tessera {

struct StatisticsOptions {
  double start_ms = 0.0;  ///< spikes at start_ms < time <= end_ms count; from 0 on also those at 0
  double end_ms = 0.0;
  double correlation_bin_ms = 2.0;
  std::size_t correlation_neurons = 1000;  ///< 0: no correlations
  std::uint64_t subsample_seed = 1;
};

/// Distributions of one population.
struct PopulationStatistics {
  std::string name;
  bool inhibitory = false;
  std::vector<double> rates_hz;  ///< one per neuron
  std::vector<double> cvs;       ///< one per neuron with more than two spikes, in order of neurons
  std::vector<double> correlations;  ///< one per pair of the subsample's spiking neurons
  double mean_rate_hz = 0.0;
  double mean_cv = 0.0;           ///< NaN when no neuron has more than two spikes
  double mean_correlation = 0.0;  ///< NaN when there are no pairs
};

/// Statistics of one spike list of a population of `size` neurons (ids must be below `size`).
[[nodiscard]] PopulationStatistics population_statistics(const SpikeList& spikes,
                                                         std::uint32_t size,
                                                         const StatisticsOptions& options);

/// The window of a result's statistics: after its discarded start, to its end.
[[nodiscard]] StatisticsOptions default_window(const Result& result);

/// The statistics as JSON text: per population and measure the number of values, mean, SD (divided by n)
/// and 21 quantiles (0, 5, ... 100 %). Not-finite values are left out; a measure without values is null.
[[nodiscard]] std::string statistics_json(const std::vector<PopulationStatistics>& statistics,
                                          const StatisticsOptions& options);

/// All populations of a result, in its order, each over its recorded neurons (ResultPopulation::recorded()): of a
/// population without any, there are no values. Throws InputError when the result holds no spikes or when its window is empty.
[[nodiscard]] std::vector<PopulationStatistics> result_statistics(const Result& result,
                                                                  const StatisticsOptions& options);
[[nodiscard]] std::vector<PopulationStatistics> result_statistics(const Result& result);

/// Two-sample Kolmogorov-Smirnov distance: the largest difference between the two empirical
/// distribution functions, in [0, 1]. Not-finite values are left out; NaN when a sample is then
/// empty.
[[nodiscard]] double ks_distance(std::span<const double> a, std::span<const double> b);

/// Inter-spike intervals (ms) of all neurons pooled, in the window. For histograms.
[[nodiscard]] std::vector<double> interspike_intervals(const SpikeList& spikes, std::uint32_t size,
                                                       const StatisticsOptions& options);

enum class Measure { rate, cv, correlation };
[[nodiscard]] std::string to_string(Measure measure);  ///< "rate", "CV", "correlation"

/// A reference: realisations of the same distributions, and the published spread between seeds.
struct Reference {
  struct Distributions {
    std::vector<double> rates_hz, cvs, correlations;
    [[nodiscard]] const std::vector<double>& of(Measure measure) const noexcept;
  };
  struct Population {
    std::string name;
    std::vector<Distributions> realisations;
    /// Published KS distance between two seeds, mean + 2 SD, per measure (rate, cv, correlation);
    /// 0 where nothing is published.
    double published_bar[3] = {0.0, 0.0, 0.0};
    double published_rate_hz = 0.0;  ///< mean rate; 0: not published
    /// How far the mean and the width (SD over neurons or pairs) of a measure may lie from those of the
    /// realisations: from seeds.json. 0 where nothing is known.
    double allowed_mean[3] = {0.0, 0.0, 0.0};
    double allowed_width[3] = {0.0, 0.0, 0.0};
    [[nodiscard]] double mean(Measure measure) const;   ///< mean of the realisations' means; NaN: none
    [[nodiscard]] double width(Measure measure) const;  ///< mean of the realisations' SDs; NaN: none
    /// Largest KS distance between two of the realisations; NaN with fewer than two.
    [[nodiscard]] double spread(Measure measure) const;
  };
  std::string name;
  double window_ms = 0.0;  ///< length of the realisations' statistics; 0: not told
  std::vector<Population> populations;
  [[nodiscard]] const Population* find(const std::string& population) const noexcept;
};

/// Reads a reference folder: {rate,cv,cc}_<POPULATION>.npy in the folder itself or in its
/// sub-folders (one per realisation), and expected.json and seeds.json when they are there. `populations` names those
/// to look for. Throws InputError when the folder holds none of them, or a file is damaged.
[[nodiscard]] Reference load_reference(const std::filesystem::path& folder,
                                       const std::vector<std::string>& populations);

/// One population and measure against the reference. With bars from many seeds (seeds.json), mean and width
/// are judged; without, the KS distance is, by the spread of the few realisations.
struct Comparison {
  std::string population;
  Measure measure = Measure::rate;
  double mean = 0.0;             ///< of this run
  double reference_mean = 0.0;   ///< mean of the realisations' means
  double width = 0.0;            ///< SD over neurons (correlations: pairs) of this run
  double reference_width = 0.0;  ///< mean of the realisations' SDs
  /// The larger of |mean - reference_mean| and |width - reference_width|, each over what is allowed. NaN
  /// where the reference has no bars from seeds.
  double deviation = 0.0;
  double distance = 0.0;  ///< KS to all realisations pooled; NaN when it could not be computed
  double spread = 0.0;    ///< KS between the reference's own realisations
  double bar = 0.0;       ///< of the distance: max(1.5 * spread, published mean + 2 SD); NaN: not known
  /// KS distance that two samples of these sizes from one distribution exceed once in a hundred times (rates
  /// and CVs; NaN for correlations, whose pairs share neurons). The verdict does not use it.
  double noise = 0.0;
  bool calibrated = false;  ///< judged by `deviation`, else by `distance`
  bool compared = false;    ///< both sides had values and there is a bar
  bool passes = false;      ///< compared, and deviation <= 1 or distance <= bar
};

struct Verdict {
  std::vector<Comparison> comparisons;  ///< populations in order, then rate, CV, correlation
  std::vector<std::string>
      notes;  ///< sentences: run shorter than the reference, missing population...
  std::size_t compared = 0;
  std::size_t passed = 0;
  /// At least one comparison, and none failed.
  [[nodiscard]] bool passes() const noexcept { return compared > 0 && passed == compared; }
};

/// KS distance between two samples of rates that are counts over windows of different length. Each
/// count k stands for the interval (k - 1/2, k + 1/2) / window, over which it is spread evenly; for
/// equal windows the result is exactly ks_distance, and different windows are not told apart by
/// their lattices alone.
[[nodiscard]] double rate_ks_distance(std::span<const double> a_hz, double a_window_ms,
                                      std::span<const double> b_hz, double b_window_ms);

/// Compares every population that both sides have. `options` is what the run's statistics were made
/// with.
[[nodiscard]] Verdict compare(const std::vector<PopulationStatistics>& run,
                              const Reference& reference, const StatisticsOptions& options);

/// Rates and CVs of a run without recording: fed by on_spikes, about 24 bytes per neuron.
class ActivityStatistics : public RunObserver {
 public:
  /// Spikes at or before `discard_ms` (model time) do not count.
  ActivityStatistics(const Network& network, double discard_ms);
  ~ActivityStatistics() override;

  [[nodiscard]] bool wants_spikes() const override { return true; }
  void on_spikes(std::span<const Spike> spikes) override;

  /// Populations in the network's order, for a window that ends at `model_time_ms`; use as
  /// RunSummary::populations. Rates are NaN when the window is empty, CVs when no neuron has more
  /// than two spikes. `start_ms`: where the run began, when that is after discard_ms.
  [[nodiscard]] std::vector<PopulationSummary> summaries(double model_time_ms,
                                                         double start_ms = 0.0) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
