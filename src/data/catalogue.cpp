// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/catalogue.hpp"

#include <algorithm>

#include "data/encoding.hpp"

namespace tessera::training {
namespace {

const std::vector<std::string> kDigits = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

// German digits follow the English ones, as in the publication of SHD.
const std::vector<std::string> kSpoken = {
    "zero", "one",  "two",  "three", "four", "five",  "six",   "seven",  "eight", "nine",
    "null", "eins", "zwei", "drei",  "vier", "fuenf", "sechs", "sieben", "acht",  "neun"};

const std::vector<std::string> kGestures = {"hand_clapping",
                                            "right_hand_wave",
                                            "left_hand_wave",
                                            "right_arm_clockwise",
                                            "right_arm_counter_clockwise",
                                            "left_arm_clockwise",
                                            "left_arm_counter_clockwise",
                                            "arm_roll",
                                            "air_drums",
                                            "air_guitar",
                                            "other_gestures"};

const std::vector<std::string> kLandUse = {
    "AnnualCrop", "Forest",        "HerbaceousVegetation", "Highway", "Industrial",
    "Pasture",    "PermanentCrop", "Residential",          "River",   "SeaLake"};

std::vector<DatasetFacts> make_table() {
  using enum Content;
  return {
      {"yin_yang", numbers, {1, 1, 4}, 40, 1.0, {}, {"yin", "yang", "dot"}, true, false},
      {"random_manifolds", events, {1, 50, 1}, 50, 1.0, {}, {}, true, false},
      {"evidence_accumulation", events, {1, 40, 1}, 2250, 1.0, {}, {"left", "right"}, true, false},
      {"pattern_generation", events, {1, 100, 1}, 1000, 1.0, {}, {"pattern"}, true, false},
      {"mnist",
       numbers,
       {28, 28, 1},
       30,
       1.0,
       {"mnist", "MNIST", "MNIST/raw"},
       kDigits,
       false,
       false},
      {"nmnist",
       events,
       {34, 34, 2},
       100,
       3.0,
       {"nmnist", "N-MNIST", "NMNIST"},
       kDigits,
       false,
       true},
      {"spoken_digits",
       sound,
       {1, 140, 1},
       100,
       8.0,
       {"spoken_digits", "fsdd", "free-spoken-digit-dataset"},
       kDigits,
       false,
       false},
      {"shd", events, {1, 700, 1}, 100, 10.0, {"shd", "SHD", "hdspikes"}, kSpoken, false, false},
      {"ssc", events, {1, 700, 1}, 100, 10.0, {"ssc", "SSC", "hdspikes"}, {}, false, false},
      {"dvs_gesture",
       events,
       {128, 128, 2},
       150,
       10.0,
       {"dvs_gesture", "DvsGesture", "DVSGesture"},
       kGestures,
       false,
       true},
      {"eurosat",
       numbers,
       {64, 64, 3},
       50,
       1.0,
       {"eurosat", "EuroSAT", "EuroSAT_RGB"},
       kLandUse,
       false,
       false},
      {"file", events, {0, 0, 0}, 0, 1.0, {}, {}, false, false},
  };
}

}  // namespace

const std::vector<DatasetFacts>& all_datasets() {
  static const std::vector<DatasetFacts> table = make_table();
  return table;
}

const DatasetFacts* find_dataset(const std::string& name) {
  for (const DatasetFacts& facts : all_datasets()) {
    if (facts.name == name) return &facts;
  }
  return nullptr;
}

DatasetFacts facts_of(const DataSpec& spec) {
  DatasetFacts facts = *find_dataset(spec.dataset);
  if (spec.dataset != "file") return facts;
  const bool spikes = spec.file.content == FileContent::spikes;
  facts.content = spikes ? Content::events : Content::numbers;
  facts.shape = spec.file.shape;
  facts.classes = spec.file.classes;
  facts.camera = spikes && facts.shape.height > 1;  // cut out, scaled and varied like one
  return facts;
}

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const DatasetFacts& facts : all_datasets()) list.push_back(facts.name);
    return list;
  }();
  return names;
}

bool is_generated(const std::string& dataset) {
  const DatasetFacts* facts = find_dataset(dataset);
  return facts != nullptr && facts->generated;
}

std::uint32_t class_count(const DataSpec& spec) {
  if (spec.dataset == "random_manifolds") return spec.generator.classes;
  if (spec.dataset == "ssc") return 35;
  return static_cast<std::uint32_t>(facts_of(spec).classes.size());
}

std::vector<std::string> class_names(const DataSpec& spec) {
  std::vector<std::string> names = facts_of(spec).classes;
  for (std::uint32_t c = 0; names.size() < class_count(spec); ++c)
    names.push_back(std::to_string(c));
  return names;
}

Shape source_shape(const DataSpec& spec) {
  Shape shape = facts_of(spec).shape;
  if (spec.dataset == "random_manifolds") shape.width = spec.generator.channels;
  if (spec.dataset == "eurosat" && spec.encoder.grey) shape.channels = 1;
  if (spec.dataset == "spoken_digits") {
    shape.width = spec.encoder.channels;
    shape.channels = spec.encoder.kind == EncoderKind::delta ? 2 : 1;
  }
  return shape;
}

DataSpec with_defaults(DataSpec spec) {
  const DatasetFacts facts = facts_of(spec);
  EncoderSpec& e = spec.encoder;
  const auto fill = [](auto& field, auto value) {
    if (!field) field = value;
  };
  if (e.kind == EncoderKind::automatic) {
    e.kind = facts.content == Content::numbers ? EncoderKind::latency
             : facts.content == Content::sound ? EncoderKind::cochlea
                                               : EncoderKind::binning;
  }
  if (e.steps == 0) e.steps = facts.steps;
  if (e.dt_ms == 0.0) e.dt_ms = facts.dt_ms;
  if (spec.dataset == "file" && spec.file.content == FileContent::spikes)
    fill(spec.file.step_ms, e.dt_ms);
  if (e.channels == 0 && facts.content == Content::sound) e.channels = facts.shape.width;
  if (spec.dataset == "yin_yang") {
    if (spec.generator.training_samples == 0) spec.generator.training_samples = 5000;
    if (spec.generator.test_samples == 0) spec.generator.test_samples = 1000;
  } else if (spec.dataset == "random_manifolds") {
    const std::uint32_t classes = spec.generator.classes;
    if (spec.generator.training_samples == 0) spec.generator.training_samples = 1000 * classes;
    if (spec.generator.test_samples == 0) spec.generator.test_samples = 200 * classes;
  }
  if (spec.dataset == "evidence_accumulation") {
    if (spec.generator.training_samples == 0) spec.generator.training_samples = 2048;
    if (spec.generator.test_samples == 0) spec.generator.test_samples = 512;
  }
  if (facts.content != Content::numbers) {
    fill(e.start_ms, 0.0);
    fill(e.min_events, 1u);
  }
  if (e.kind == EncoderKind::latency) {
    fill(e.early_ms, 0.0);
    fill(e.late_ms, (e.steps - 1) * e.dt_ms);
    if (e.curve == LatencyCurve::logarithmic) fill(e.tau_ms, (*e.late_ms - *e.early_ms) / 3.0);
    const bool published_image = facts.image() && spec.dataset != "file";
    if (published_image || e.curve == LatencyCurve::logarithmic) fill(e.threshold, 0.2);
    if (e.bias) fill(e.bias_ms, *e.early_ms);
  } else if (e.kind == EncoderKind::rate) {
    fill(e.threshold, 0.0);
    fill(e.max_rate_hz, 200.0);
  } else if (facts.content == Content::sound) {
    fill(e.low_hz, 80.0);
    fill(e.compression, 0.3);
    if (e.kind == EncoderKind::delta) {
      fill(e.delta_threshold, 0.05);
    } else {
      fill(e.gain, 3.0);
      fill(e.hair_tau_ms, 2.0);
      fill(e.refractory_ms, 2.0);
    }
  }
  return spec;
}

Shape encoded_shape(const DataSpec& given) {
  const DataSpec spec = with_defaults(given);
  const DatasetFacts facts = facts_of(spec);
  EncoderSpec encoder = spec.encoder;
  if (facts.content == Content::events && !facts.camera) encoder.width = encoder.channels;
  Shape shape = Geometry(source_shape(spec), encoder).shape();
  const auto size = static_cast<std::uint32_t>(shape.size());
  if (encoder.bias) return {1, 1, size + 1};
  // Without two dimensions there is nothing that a convolution could use: a plain vector.
  return shape.height == 1 ? Shape{1, 1, size} : shape;
}

std::string to_string(Split split) { return split == Split::train ? "train" : "test"; }

std::string to_string(EncoderKind kind) {
  switch (kind) {
    case EncoderKind::automatic:
      return "automatic";
    case EncoderKind::binning:
      return "binning";
    case EncoderKind::latency:
      return "latency";
    case EncoderKind::rate:
      return "rate";
    case EncoderKind::delta:
      return "delta";
    case EncoderKind::cochlea:
      return "cochlea";
  }
  return "";
}
std::string to_string(LatencyCurve curve) {
  return curve == LatencyCurve::linear ? "linear" : "logarithmic";
}
std::string to_string(RateKind kind) {
  return kind == RateKind::bernoulli ? "bernoulli" : "poisson";
}
std::string to_string(FrequencyScale scale) { return scale == FrequencyScale::erb ? "erb" : "mel"; }

}  // namespace tessera::training
