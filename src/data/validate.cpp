// Everything that can be wrong with a specification of a data set, found without looking at a file.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "data/catalogue.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

class Checker {
 public:
  explicit Checker(const DataSpec& spec) : where_(spec.where) {
    base_ = where_.key_path.empty() ? "data" : where_.key_path;
  }
  void add(const std::string& key, const std::string& sentence) {
    SourceLocation where = where_;
    where.key_path = base_ + "." + key;
    problems_.push_back({where, sentence});
  }
  /// low <= value <= high; NaN is outside.
  void range(const std::string& key, double value, double low, double high) {
    if (value >= low && value <= high) return;
    add(key, fmt::format("{} is outside the range {} to {}.", value, low, high));
  }
  void range(const std::string& key, const std::optional<double>& value, double low, double high) {
    if (value) range(key, *value, low, high);
  }
  /// A value that would be ignored is refused.
  void unused(const std::string& key, bool given, bool used, const std::string& user) {
    if (given && !used) add(key, fmt::format("only {} it.", user));
  }
  std::vector<Problem> take() { return std::move(problems_); }

 private:
  SourceLocation where_;
  std::string base_;
  std::vector<Problem> problems_;
};

constexpr double kLongest = 1e6;  // ms
constexpr const char* kHdf5Ends[] = {".h5", ".hdf5"};
constexpr std::uint64_t kMostChannels = 65'536, kMostClasses = 65'536;

void check_kind(const DatasetFacts& facts, EncoderKind kind, Checker& check) {
  using enum EncoderKind;
  const bool fits = facts.content == Content::numbers ? kind == latency || kind == rate
                    : facts.content == Content::sound ? kind == cochlea || kind == delta
                                                      : kind == binning;
  if (fits) return;
  check.add("encoder.kind",
            fmt::format("{} cannot be encoded by {}; it holds {}.", facts.name, to_string(kind),
                        facts.content == Content::numbers ? "numbers: latency or rate"
                        : facts.content == Content::sound ? "sound: cochlea or delta"
                                                          : "events: binning"));
}

void check_unused(const DataSpec& given, const DatasetFacts& facts, EncoderKind kind,
                  Checker& check) {
  const EncoderSpec& e = given.encoder;
  const bool timed = facts.content != Content::numbers, sound = facts.content == Content::sound;
  const bool latency = kind == EncoderKind::latency, rate = kind == EncoderKind::rate;
  const std::string events = "data sets of events or sound use";
  check.unused("encoder.start_ms", e.start_ms.has_value(), timed, events);
  check.unused("encoder.min_events", e.min_events.has_value(), timed, events);
  const std::string pictures = "images and event cameras use";
  const bool picture = facts.image() || facts.camera;
  check.unused("encoder.crop", e.crop_x || e.crop_y || e.crop_width || e.crop_height, picture,
               pictures);
  check.unused("encoder.width", e.width != 0, picture, pictures);
  check.unused("encoder.height", e.height != 0, picture, pictures);
  check.unused("encoder.merge_polarities", e.merge_polarities, facts.camera, "event cameras use");
  check.unused("encoder.grey", e.grey, given.dataset == "eurosat", "eurosat uses");
  const bool channels = sound || given.dataset == "shd" || given.dataset == "ssc";
  check.unused("encoder.channels", e.channels != 0, channels, "shd, ssc and spoken_digits use");
  check.unused("encoder.curve", e.curve != LatencyCurve::linear, latency, "latency uses");
  check.unused("encoder.early_ms", e.early_ms.has_value(), latency, "latency uses");
  check.unused("encoder.late_ms", e.late_ms.has_value(), latency, "latency uses");
  check.unused("encoder.tau_ms", e.tau_ms.has_value(),
               latency && e.curve == LatencyCurve::logarithmic, "logarithmic latency uses");
  check.unused("encoder.threshold", e.threshold.has_value(), latency || rate,
               "latency and rate use");
  check.unused("encoder.bias", e.bias, latency, "latency uses");
  check.unused("encoder.bias_ms", e.bias_ms.has_value(), e.bias,
               "a bias channel (bias = true) uses");
  check.unused("encoder.rate_kind", e.rate_kind != RateKind::bernoulli, rate, "rate uses");
  check.unused("encoder.max_rate_hz", e.max_rate_hz.has_value(), rate, "rate uses");
  check.unused("encoder.scale", e.scale != FrequencyScale::erb, sound, "cochlea and delta use");
  check.unused("encoder.low_hz", e.low_hz.has_value(), sound, "cochlea and delta use");
  check.unused("encoder.high_hz", e.high_hz.has_value(), sound, "cochlea and delta use");
  check.unused("encoder.compression", e.compression.has_value(), sound, "cochlea and delta use");
  const bool cochlea = kind == EncoderKind::cochlea;
  check.unused("encoder.gain", e.gain.has_value(), cochlea, "cochlea uses");
  check.unused("encoder.hair_tau_ms", e.hair_tau_ms.has_value(), cochlea, "cochlea uses");
  check.unused("encoder.refractory_ms", e.refractory_ms.has_value(), cochlea, "cochlea uses");
  check.unused("encoder.delta_threshold", e.delta_threshold.has_value(), kind == EncoderKind::delta,
               "delta uses");
}

void check_cut(const DatasetFacts& facts, const EncoderSpec& e, Checker& check) {
  const auto along = [&](const std::string& offset_key, const std::string& size_key,
                         std::uint32_t whole, std::uint32_t offset, std::uint32_t cut,
                         std::uint32_t target) {
    if (offset >= whole || cut > whole - offset) {
      check.add("encoder." + offset_key,
                fmt::format("{} pixels from {} on do not lie inside the {} pixels of {}.", cut,
                            offset, whole, facts.name));
      return;
    }
    const std::uint32_t left = cut != 0 ? cut : whole - offset;
    if (target > left) {
      check.add("encoder." + size_key,
                fmt::format("{} pixels cannot be made of {}: images are scaled down, never up.",
                            target, left));
    }
  };
  along("crop_x", "width", facts.shape.width, e.crop_x, e.crop_width, e.width);
  along("crop_y", "height", facts.shape.height, e.crop_y, e.crop_height, e.height);
}

void check_values(const DataSpec& spec, const DatasetFacts& facts, Checker& check) {
  const EncoderSpec& e = spec.encoder;  // defaults are filled in
  check.range("encoder.steps", e.steps, 1, 65'535);
  check.range("encoder.dt_ms", e.dt_ms, 1e-3, 1e3);
  const double window = e.steps * e.dt_ms;
  if (!(window <= kLongest)) {
    check.add("encoder.steps",
              fmt::format("steps * dt_ms is {} ms, more than {} ms.", window, kLongest));
  }
  check.range("encoder.start_ms", e.start_ms, 0.0, kLongest);
  if (e.min_events) check.range("encoder.min_events", *e.min_events, 1, 1000);
  if (facts.image() || facts.camera) check_cut(facts, e, check);
  if (facts.content != Content::numbers && !facts.camera)
    check.range("encoder.channels", e.channels, 0, 700);
  check.range("encoder.low_hz", e.low_hz, 20.0, 1e5);
  if (e.high_hz && !(*e.high_hz > *e.low_hz && *e.high_hz <= 2e5)) {
    check.add("encoder.high_hz",
              fmt::format("{} is not above low_hz = {}, or above 200000.", *e.high_hz, *e.low_hz));
  }
  check.range("encoder.compression", e.compression, 0.01, 1.0);
  check.range("encoder.gain", e.gain, 1e-3, 1e6);
  check.range("encoder.hair_tau_ms", e.hair_tau_ms, 1e-3, 1e4);
  check.range("encoder.refractory_ms", e.refractory_ms, 0.0, 1e4);
  check.range("encoder.delta_threshold", e.delta_threshold, 1e-3, 1.0);
  check.range("encoder.max_rate_hz", e.max_rate_hz, 1e-6, 1e5);
  if (e.threshold && !(*e.threshold >= 0.0 && *e.threshold < 1.0)) {
    check.add("encoder.threshold", fmt::format("{} is not in 0 <= threshold < 1.", *e.threshold));
  }
  if (e.kind != EncoderKind::latency) return;
  if (e.curve == LatencyCurve::logarithmic && *e.threshold == 0.0) {
    check.add("encoder.threshold", "logarithmic latency needs a threshold above 0.");
  }
  if (!(*e.early_ms >= 0.0 && *e.early_ms < window)) {
    check.add("encoder.early_ms",
              fmt::format("{} is not in 0 <= early_ms < {} (steps * dt_ms).", *e.early_ms, window));
  } else if (!(*e.late_ms > *e.early_ms && *e.late_ms < window) && e.steps > 1) {
    check.add("encoder.late_ms",
              fmt::format("{} is not in {} (early_ms) < late_ms < {} (steps * dt_ms).", *e.late_ms,
                          *e.early_ms, window));
  } else if (e.curve == LatencyCurve::logarithmic && !(*e.tau_ms > 0.0 && *e.tau_ms <= kLongest)) {
    check.add("encoder.tau_ms", fmt::format("{} is not above 0.", *e.tau_ms));
  }
  if (e.bias && !(*e.bias_ms >= 0.0 && *e.bias_ms < window)) {
    check.add("encoder.bias_ms",
              fmt::format("{} is not in 0 <= bias_ms < {} (steps * dt_ms).", *e.bias_ms, window));
  }
}

void check_augmentation(const DataSpec& spec, const DatasetFacts& facts, Checker& check) {
  const AugmentationSpec& a = spec.augmentation;
  const bool rate = spec.encoder.kind == EncoderKind::rate, picture = facts.image() || facts.camera;
  const bool own_line = spec.dataset == "file" && facts.content == Content::events && !facts.camera;
  const bool line =
      spec.dataset == "shd" || spec.dataset == "ssc" || facts.content == Content::sound || own_line;
  check.unused("augmentation.shift", a.shift != 0, picture || line,
               "images, event cameras and sound use");
  check.unused("augmentation.rotation_degrees", a.rotation_degrees != 0.0, picture,
               "images and event cameras use");
  check.unused("augmentation.rotation_probability", a.rotation_probability != 1.0, a.rotation_degrees != 0.0,
               "samples that are rotated use");
  check.unused("augmentation.rotation_gain", a.rotation_gain != 0.0, facts.image() && a.rotation_degrees != 0.0,
               "images that are rotated use");
  check.unused("augmentation.blend", a.blend != 0.0, line,
               "shd, ssc, spoken_digits and spikes of your own (file) use");
  const std::string timed = "encoders with spike times (all but rate) use";
  check.unused("augmentation.jitter_ms", a.jitter_ms != 0.0, !rate, timed);
  check.unused("augmentation.crop_ms", a.crop_ms != 0.0, !rate, timed);
  check.unused("augmentation.skew_low", a.skew_low != 1.0, !rate, timed);
  check.unused("augmentation.skew_high", a.skew_high != 1.0, !rate, timed);
  check.range("augmentation.shift", a.shift, 0, 1000);
  check.range("augmentation.jitter_ms", a.jitter_ms, 0.0, 1e5);
  check.range("augmentation.blend", a.blend, 0.0, 1.0);
  check.range("augmentation.crop_ms", a.crop_ms, 0.0, kLongest);
  check.range("augmentation.rotation_degrees", a.rotation_degrees, 0.0, 180.0);
  check.range("augmentation.rotation_probability", a.rotation_probability, 0.0, 1.0);
  check.range("augmentation.rotation_gain", a.rotation_gain, 0.0, 100.0);
  check.range("augmentation.skew_low", a.skew_low, 0.01, 100.0);
  check.range("augmentation.skew_high", a.skew_high, 0.01, 100.0);
  if (a.skew_low > a.skew_high) {
    check.add("augmentation.skew_low",
              fmt::format("{} is above skew_high = {}.", a.skew_low, a.skew_high));
  }
}

void check_evidence(const DataSpec& spec, Checker& check) {
  const std::uint32_t cues = spec.generator.cues;
  check.range("generator.cues", cues, 1, 101);
  if (cues % 2 == 0) check.add("generator.cues", fmt::format("{} cues can be equally many on both sides; take an odd number.", cues));
  const std::uint32_t steps = spec.encoder.steps == 0 ? facts_of(spec).steps : spec.encoder.steps;
  if (cues <= 101 && steps < evidence_steps(cues))
    check.add("encoder.steps", fmt::format("{} steps are too few for {} cues and the recall, which take {}.", steps, cues,
                                           evidence_steps(cues)));
}

void check_generator(const DataSpec& spec, Checker& check) {
  const GeneratorSpec& g = spec.generator;
  const GeneratorSpec usual;
  if (!is_generated(spec.dataset)) {
    check.unused("generator", g != usual, false,
                 "sets that are generated use");
    return;
  }
  check.range("generator.training_samples", g.training_samples, 0, 10'000'000);
  check.range("generator.test_samples", g.test_samples, 0, 10'000'000);
  GeneratorSpec rest = g;
  rest.training_samples = rest.test_samples = 0;
  rest.seed = usual.seed;
  if (spec.dataset == "yin_yang") {
    check.unused(
        "generator", rest != usual, false,
        "random_manifolds uses dimension, smoothness, classes, channels and cutoff: yin_yang has "
        "no use for");
    return;
  }
  if (spec.dataset == "pattern_generation") {
    rest = g;
    rest.seed = usual.seed;
    check.unused("generator", rest != usual, false, "pattern_generation has one sample and uses seed: it has no use for");
    return;
  }
  if (spec.dataset == "evidence_accumulation") {
    check_evidence(spec, check);
    rest.cues = usual.cues;
    check.unused("generator", rest != usual, false,
                 "random_manifolds uses dimension, smoothness, classes, channels and cutoff: evidence_accumulation has "
                 "no use for");
    return;
  }
  check.unused("generator.cues", g.cues != usual.cues, false, "evidence_accumulation has cues: random_manifolds has no use for");
  check.range("generator.dimension", g.dimension, 1, 10);
  check.range("generator.smoothness", g.smoothness, 0.0, 100.0);
  check.range("generator.classes", g.classes, 2, 1000);
  check.range("generator.channels", g.channels, 1, 10'000);
  check.range("generator.cutoff", g.cutoff, 1, 1000);
  const double terms = static_cast<double>(g.classes) * g.channels * g.dimension * g.cutoff;
  if (terms > 4e6) {
    check.add(
        "generator",
        fmt::format("classes * channels * dimension * cutoff is {}, more than 4 million.", terms));
  }
}

// One file of spikes or values and, where that has no room for them, one of labels.
void check_file_names(const std::string& data, const std::string& labels, const std::string& key,
                      Checker& check) {
  const auto inside = [&](const std::string& name, const std::string& of) {
    const std::filesystem::path path(name);
    if (!path.is_absolute() && std::find(path.begin(), path.end(), "..") == path.end()) return true;
    check.add(of, fmt::format("'{}' must be a name inside the set's folder, without '..'; --data "
                              "and `folder` say where that is.",
                              name));
    return false;
  };
  if (!inside(data, key) || !inside(labels, key + "_labels")) return;
  const std::string end = std::filesystem::path(data).extension().string();
  const bool apart = end == ".npy" || end == ".csv";
  if (!apart && end != ".npz" && end != ".h5" && end != ".hdf5") {
    check.add(key, fmt::format("'{}' does not end in .npy, .npz, .csv, .h5 or .hdf5.", data));
  } else if (apart && labels.empty()) {
    check.add(key + "_labels", fmt::format("'{}' has no labels in it: name the file of labels "
                                           "(.npy, .npz or .csv).",
                                           data));
  } else if (!apart && !labels.empty()) {
    check.add(key + "_labels", fmt::format("'{}' holds the labels itself.", data));
  } else if (const std::string ending = std::filesystem::path(labels).extension().string();
             apart && ending != ".npy" && ending != ".npz" && ending != ".csv") {
    check.add(key + "_labels", fmt::format("'{}' does not end in .npy, .npz or .csv.", labels));
  }
}

void check_file(const DataSpec& spec, Checker& check) {
  const FileSpec& f = spec.file;
  if (spec.dataset != "file") {
    check.unused("file", f != FileSpec{}, false, "the set 'file' uses");
    return;
  }
  if (f.training.empty()) {
    check.add("file.training", "the name of the file of training samples is needed.");
  } else {
    check_file_names(f.training, f.training_labels, "file.training", check);
  }
  if (!f.test.empty()) {
    check_file_names(f.test, f.test_labels, "file.test", check);
  } else if (!f.test_labels.empty()) {
    check.add("file.test_labels", "there are labels of test samples, but no test samples.");
  }
  if (f.shape.size() == 0 || f.shape.size() > kMostChannels) {
    check.add("file.shape", fmt::format("{} x {} x {} is not 1 to {} channels.", f.shape.height,
                                        f.shape.width, f.shape.channels, kMostChannels));
  }
  if (f.classes.size() < 2 || f.classes.size() > kMostClasses) {
    check.add("file.classes",
              fmt::format("{} classes are not 2 to {}.", f.classes.size(), kMostClasses));
  }
  std::vector<std::string> names = f.classes;
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    check.add("file.classes", fmt::format("two classes have the name '{}'.", *twice));
  const bool hdf5 = std::any_of(std::begin(kHdf5Ends), std::end(kHdf5Ends),
                                [&](const char* end) { return f.training.ends_with(end); });
  if (hdf5 && f.content == FileContent::values)
    check.add("file.content", "HDF5 files in the layout of SHD hold spikes.");
  check.unused("file.step_ms", f.step_ms.has_value(), f.content == FileContent::spikes && !hdf5,
               "spikes that are counted in steps (npy, npz and csv) use");
  check.range("file.step_ms", f.step_ms, 1e-3, 1e3);
  if (spec.encoder.steps == 0)
    check.add("encoder.steps", "your own data needs the number of steps of a sample, 1 to 65535.");
}

}  // namespace

std::vector<Problem> validate(const DataSpec& given) {
  Checker check(given);
  if (find_dataset(given.dataset) == nullptr) {
    check.add("dataset", fmt::format("there is no data set '{}'.{} The data sets are {}.",
                                     given.dataset, did_you_mean(given.dataset, dataset_names()),
                                     fmt::join(dataset_names(), ", ")));
    return check.take();
  }
  check_file(given, check);
  std::vector<Problem> problems = check.take();
  if (!problems.empty()) return problems;
  const DataSpec spec = with_defaults(given);
  const DatasetFacts facts = facts_of(spec);
  check_kind(facts, spec.encoder.kind, check);
  check_unused(given, facts, spec.encoder.kind, check);
  problems = check.take();
  // What does not fit together at all is told without what follows from it.
  if (!problems.empty()) return problems;
  check_values(spec, facts, check);
  check_augmentation(spec, facts, check);
  check_generator(given, check);
  if (!given.cache_folder.empty() && spec.encoder.kind == EncoderKind::rate) {
    check.add("cache_folder", "rate-encoded spikes are drawn anew every time and cannot be kept.");
  }
  return check.take();
}

}  // namespace tessera::training
