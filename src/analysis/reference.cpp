// Reference statistics: reading them, and judging a run by them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "analysis/moments.hpp"
#include "files/file.hpp"
#include "files/npy.hpp"
#include "tessera/analysis.hpp"

namespace tessera {
namespace {

using nlohmann::json;

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr Measure kMeasures[] = {Measure::rate, Measure::cv, Measure::correlation};
constexpr const char* kFileNames[] = {"rate", "cv", "cc"};
constexpr const char* kKeys[] = {"rate", "cv", "correlation"};
constexpr std::size_t kMostFolders = 1000;
constexpr double kSpreadFactor = 1.5;  // how much further than its seeds from each other we may be
constexpr std::uint64_t kMostReferenceBytes = std::uint64_t{1} << 30;

std::size_t index(Measure measure) { return static_cast<std::size_t>(measure); }

std::vector<double>& values_of(Reference::Distributions& distributions, Measure measure) {
  if (measure == Measure::rate) return distributions.rates_hz;
  return measure == Measure::cv ? distributions.cvs : distributions.correlations;
}

// The folder itself and its sub-folders, in the order of their names.
std::vector<std::filesystem::path> realisation_folders(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.is_directory(failed) && folders.size() < kMostFolders)
      folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  folders.insert(folders.begin(), folder);
  return folders;
}

// What one folder holds about a population; nothing when it holds nothing.
bool read_distributions(const std::filesystem::path& folder, const std::string& population,
                        Reference::Distributions& distributions, std::vector<Problem>& problems) {
  bool found = false;
  for (const Measure measure : kMeasures) {
    const auto file = folder / (std::string(kFileNames[index(measure)]) + "_" +
                                io::encoded_name(population) + ".npy");
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) continue;
    found = true;
    try {
      values_of(distributions, measure) = io::read_npy(file, kMostReferenceBytes).values;
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  }
  return found;
}

// {"name", "window_ms", "populations": {NAME: {"rate_hz", "ks": {"rate": [mean, sd], ...}}}}
void apply_expected(const json& expected, Reference& reference) {
  reference.name = expected.value("name", "");
  reference.window_ms = expected.value("window_ms", 0.0);
  const json populations = expected.value("populations", json::object());
  for (Reference::Population& population : reference.populations) {
    const auto found = populations.find(population.name);
    if (found == populations.end()) continue;
    population.published_rate_hz = found->value("rate_hz", 0.0);
    const json ks = found->value("ks", json::object());
    for (std::size_t i = 0; i < 3; ++i) {
      const auto spread = ks.find(kKeys[i]);
      if (spread == ks.end()) continue;
      population.published_bar[i] = spread->at(0).get<double>() + 2.0 * spread->at(1).get<double>();
    }
  }
}

// {"populations": {NAME: {"rate": {"mean": {"allowed"}, "width": {"allowed"}}, "cv": ..., "correlation": ...}}}
void apply_seeds(const json& seeds, Reference& reference) {
  const json populations = seeds.value("populations", json::object());
  for (Reference::Population& population : reference.populations) {
    const auto found = populations.find(population.name);
    if (found == populations.end()) continue;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto measure = found->find(kKeys[i]);
      if (measure == found->end()) continue;
      population.allowed_mean[i] = measure->at("mean").at("allowed").get<double>();
      population.allowed_width[i] = measure->at("width").at("allowed").get<double>();
      if (!(population.allowed_mean[i] > 0.0) || !(population.allowed_width[i] > 0.0)) {
        throw InputError("seeds.json: what is allowed for " + population.name + " must be positive.");
      }
    }
  }
}

void read_json(const std::filesystem::path& file, Reference& reference,
               void (*apply)(const json&, Reference&)) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return;
  try {
    const std::string text = io::read_file(file, 1 << 20);
    const auto shallow = [&file](int depth, json::parse_event_t, json&) {
      if (depth > 16) throw InputError(file.string() + ": it is nested too deeply.");
      return true;
    };
    apply(json::parse(text, shallow), reference);
  } catch (const json::exception& error) {
    throw InputError("cannot read " + file.string() + ": " + error.what());
  }
}

// 1 % critical value of the two-sample test for large samples: P(D sqrt(nm / (n + m)) > 1.628) =
// 0.01.
double critical(std::size_t n, std::size_t m) {
  return 1.628 * std::sqrt(1.0 / static_cast<double>(n) + 1.0 / static_cast<double>(m));
}

// The window whose lattice the rates lie on: 1 / (smallest rate step). 0 when there is no lattice.
double window_of(const std::vector<double>& rates_hz) {
  std::vector<double> rates = rates_hz;
  std::sort(rates.begin(), rates.end());
  double step = 0.0;
  for (std::size_t i = 1; i < rates.size(); ++i) {
    const double difference = rates[i] - rates[i - 1];
    if (difference > 1e-4 && (step == 0.0 || difference < step)) step = difference;
  }
  if (step == 0.0) return 0.0;
  const double window_ms = std::round(1000.0 / step);
  for (const double rate : rates) {
    const double count = rate * window_ms / 1000.0;
    if (std::abs(count - std::round(count)) > 0.05) return 0.0;
  }
  return window_ms;
}

// Every realisation counts alike: each is one draw of mean and width.
template <class Of>
double mean_over(const std::vector<Reference::Distributions>& realisations, Measure measure, Of of) {
  double sum = 0.0, count = 0.0;
  for (const Reference::Distributions& realisation : realisations) {
    const Moments moments = moments_of(realisation.of(measure));
    if (moments.count == 0) continue;
    sum += of(moments);
    count += 1.0;
  }
  return count > 0.0 ? sum / count : kNoValue;
}

class Judge {
 public:
  Judge(const Reference& reference, const StatisticsOptions& options)
      : window_ms_(options.end_ms - options.start_ms), reference_window_ms_(reference.window_ms) {
    for (const Reference::Population& population : reference.populations) {
      for (const auto& realisation : population.realisations) {
        if (reference_window_ms_ == 0.0) reference_window_ms_ = window_of(realisation.rates_hz);
      }
    }
  }

  [[nodiscard]] double distance(Measure measure, const std::vector<double>& run,
                                const std::vector<double>& realisation) const {
    if (measure == Measure::rate) {
      return rate_ks_distance(run, window_ms_, realisation, reference_window_ms_);
    }
    // Reference values are float32: ours are rounded alike, or equal values would count as
    // different.
    std::vector<double> rounded(run.size());
    std::transform(run.begin(), run.end(), rounded.begin(),
                   [](double value) { return static_cast<double>(static_cast<float>(value)); });
    return ks_distance(rounded, realisation);
  }

  [[nodiscard]] Comparison judge(const PopulationStatistics& run,
                                 const Reference::Population& reference, Measure measure) const {
    const std::vector<double>& values = measure == Measure::rate ? run.rates_hz
                                        : measure == Measure::cv ? run.cvs
                                                                 : run.correlations;
    Comparison comparison;
    comparison.population = run.name;
    comparison.measure = measure;
    const Moments moments = moments_of(values);
    comparison.mean = moments.mean;
    comparison.width = moments.sd;
    comparison.reference_mean = reference.mean(measure);
    comparison.reference_width = reference.width(measure);
    comparison.spread = reference.spread(measure);
    comparison.distance = kNoValue;
    // The realisations together: the best estimate of the reference's distribution.
    std::vector<double> pooled;
    for (const auto& realisation : reference.realisations) {
      const std::vector<double>& part = realisation.of(measure);
      pooled.insert(pooled.end(), part.begin(), part.end());
    }
    comparison.distance = distance(measure, values, pooled);
    comparison.noise = kNoValue;
    if (measure != Measure::correlation && !std::isnan(comparison.distance)) {
      comparison.noise = critical(values.size(), pooled.size());
    }
    const double published = reference.published_bar[index(measure)];
    const double own = kSpreadFactor * comparison.spread;
    comparison.bar =
        std::isnan(own) ? (published > 0.0 ? published : kNoValue) : std::max(own, published);
    comparison.deviation = kNoValue;
    comparison.calibrated = reference.allowed_mean[index(measure)] > 0.0;
    if (comparison.calibrated) {
      const double of_mean = std::abs(comparison.mean - comparison.reference_mean);
      const double of_width = std::abs(comparison.width - comparison.reference_width);
      comparison.deviation = std::max(of_mean / reference.allowed_mean[index(measure)],
                                      of_width / reference.allowed_width[index(measure)]);
    }
    const double found = comparison.calibrated ? comparison.deviation : comparison.distance;
    const double allowed = comparison.calibrated ? 1.0 : comparison.bar;
    comparison.compared = !std::isnan(comparison.distance) && !std::isnan(found) && !std::isnan(allowed);
    comparison.passes = comparison.compared && found <= allowed;
    return comparison;
  }

  void note_window(std::vector<std::string>& notes) const {
    if (reference_window_ms_ > 0.0 && std::abs(window_ms_ - reference_window_ms_) > 1.0) {
      notes.push_back(fmt::format(
          "The statistics of this run span {:.4g} s, those of the reference {:.4g} s; "
          "distributions of "
          "single-neuron rates, CVs and correlations depend on that, and shorter runs spread more.",
          window_ms_ / 1000.0, reference_window_ms_ / 1000.0));
    }
  }

 private:
  double window_ms_;
  double reference_window_ms_;
};

}  // namespace

std::string to_string(Measure measure) {
  switch (measure) {
    case Measure::rate:
      return "rate";
    case Measure::cv:
      return "CV";
    default:
      return "correlation";
  }
}

const std::vector<double>& Reference::Distributions::of(Measure measure) const noexcept {
  if (measure == Measure::rate) return rates_hz;
  return measure == Measure::cv ? cvs : correlations;
}

double Reference::Population::mean(Measure measure) const {
  return mean_over(realisations, measure, [](const Moments& moments) { return moments.mean; });
}

double Reference::Population::width(Measure measure) const {
  return mean_over(realisations, measure, [](const Moments& moments) { return moments.sd; });
}

double Reference::Population::spread(Measure measure) const {
  double largest = kNoValue;
  for (std::size_t i = 0; i < realisations.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double found = ks_distance(realisations[i].of(measure), realisations[j].of(measure));
      if (!std::isnan(found) && !(largest >= found)) largest = found;
    }
  }
  return largest;
}

const Reference::Population* Reference::find(const std::string& population) const noexcept {
  for (const Population& candidate : populations) {
    if (candidate.name == population) return &candidate;
  }
  return nullptr;
}

Reference load_reference(const std::filesystem::path& folder,
                         const std::vector<std::string>& populations) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw InputError("There is no reference folder " + folder.string() + ".");
  }
  Reference reference;
  std::vector<Problem> problems;
  const auto folders = realisation_folders(folder);
  for (const std::string& name : populations) {
    Reference::Population population;
    population.name = name;
    for (const auto& realisation : folders) {
      Reference::Distributions distributions;
      if (read_distributions(realisation, name, distributions, problems)) {
        population.realisations.push_back(std::move(distributions));
      }
    }
    if (!population.realisations.empty()) reference.populations.push_back(std::move(population));
  }
  if (!problems.empty()) throw InputError(problems);
  if (reference.populations.empty()) {
    throw InputError("The folder " + folder.string() +
                     " holds no reference for these populations: no file like rate_" +
                     (populations.empty() ? std::string("NAME") : populations.front()) +
                     ".npy in it or in its sub-folders.");
  }
  read_json(folder / "expected.json", reference, apply_expected);
  read_json(folder / "seeds.json", reference, apply_seeds);
  if (reference.name.empty()) reference.name = folder.filename().string();
  return reference;
}

Verdict compare(const std::vector<PopulationStatistics>& run, const Reference& reference,
                const StatisticsOptions& options) {
  Verdict verdict;
  const Judge judge(reference, options);
  judge.note_window(verdict.notes);
  for (const PopulationStatistics& population : run) {
    const Reference::Population* expected = reference.find(population.name);
    if (expected == nullptr) {
      verdict.notes.push_back("The reference knows no population '" + population.name + "'.");
      continue;
    }
    for (const Measure measure : kMeasures) {
      Comparison comparison = judge.judge(population, *expected, measure);
      verdict.compared += comparison.compared ? 1 : 0;
      verdict.passed += comparison.passes ? 1 : 0;
      if (comparison.compared && !comparison.calibrated && !comparison.passes &&
          comparison.distance <= comparison.noise) {
        verdict.notes.push_back(fmt::format(
            "{} {}: {:.3f} is above the bar, but two samples of this size from one distribution "
            "differ by "
            "more than {:.3f} once in a hundred times; another seed may pass.",
            population.name, to_string(measure), comparison.distance, comparison.noise));
      }
      verdict.comparisons.push_back(std::move(comparison));
    }
  }
  return verdict;
}

}  // namespace tessera
