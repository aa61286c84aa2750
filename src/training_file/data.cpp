// [data] with its encoder, augmentation and generator.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "training_file/parts.hpp"

namespace tessera::io {
namespace {

using namespace training;

constexpr Dimension kHz{-1, -1, 0, 0};

void optional_number(TrainingReader& t, const std::string& key, const Dimension& unit,
                     std::optional<double>& value) {
  if (t.get(key) != nullptr) value = t.number(key, unit, value.value_or(0.0));
}

// Where a field of 0 stands for the default, a 0 in the file would be ignored: it is refused.
std::uint32_t positive(TrainingReader& t, const std::string& key, std::uint32_t otherwise) {
  if (!t.has(key)) return t.count32(key, otherwise);
  const std::uint32_t value = t.count32(key, 1);  // 1 where it is no number, which was told
  if (value == 0)
    t.complain(key, fmt::format("'{}' must be at least 1; leave it out for the default.", key));
  return value;
}

void read_picture(TrainingReader& t, EncoderSpec& e) {
  e.crop_x = t.count32("crop_x", e.crop_x);
  e.crop_y = t.count32("crop_y", e.crop_y);
  e.crop_width = positive(t, "crop_width", e.crop_width);
  e.crop_height = positive(t, "crop_height", e.crop_height);
  e.width = positive(t, "width", e.width);
  e.height = positive(t, "height", e.height);
  e.merge_polarities = t.truth("merge_polarities", e.merge_polarities);
  e.grey = t.truth("grey", e.grey);
}

void read_latency_and_rate(TrainingReader& t, EncoderSpec& e) {
  e.curve = t.word<LatencyCurve>(
      "curve", e.curve,
      {{"linear", LatencyCurve::linear}, {"logarithmic", LatencyCurve::logarithmic}});
  optional_number(t, "early", kMs, e.early_ms);
  optional_number(t, "late", kMs, e.late_ms);
  optional_number(t, "tau", kMs, e.tau_ms);
  optional_number(t, "threshold", {}, e.threshold);
  e.bias = t.truth("bias", e.bias);
  optional_number(t, "bias_time", kMs, e.bias_ms);
  e.rate_kind =
      t.word<RateKind>("rate_kind", e.rate_kind,
                       {{"bernoulli", RateKind::bernoulli}, {"poisson", RateKind::poisson}});
  optional_number(t, "max_rate", kHz, e.max_rate_hz);
}

void read_sound(TrainingReader& t, EncoderSpec& e) {
  e.scale = t.word<FrequencyScale>("scale", e.scale,
                                   {{"erb", FrequencyScale::erb}, {"mel", FrequencyScale::mel}});
  optional_number(t, "low", kHz, e.low_hz);
  optional_number(t, "high", kHz, e.high_hz);
  optional_number(t, "compression", {}, e.compression);
  optional_number(t, "gain", {}, e.gain);
  optional_number(t, "hair_tau", kMs, e.hair_tau_ms);
  optional_number(t, "refractory", kMs, e.refractory_ms);
  optional_number(t, "delta_threshold", {}, e.delta_threshold);
}

void read_encoder(TrainingReader t, EncoderSpec& e) {
  e.kind = t.word<EncoderKind>("kind", e.kind,
                               {{"automatic", EncoderKind::automatic},
                                {"binning", EncoderKind::binning},
                                {"latency", EncoderKind::latency},
                                {"rate", EncoderKind::rate},
                                {"delta", EncoderKind::delta},
                                {"cochlea", EncoderKind::cochlea}});
  e.steps = positive(t, "steps", e.steps);
  e.dt_ms = t.number("dt", kMs, t.has("dt") ? 1.0 : e.dt_ms);
  if (t.has("dt") && e.dt_ms == 0.0)
    t.complain("dt", "'dt' must be above 0 ms; leave it out for the default.");
  optional_number(t, "start", kMs, e.start_ms);
  if (t.get("min_events") != nullptr) e.min_events = t.count32("min_events", 1);
  e.channels = positive(t, "channels", e.channels);
  e.max_spikes_per_step = t.count32("max_spikes_per_step", e.max_spikes_per_step);
  read_picture(t, e);
  read_latency_and_rate(t, e);
  read_sound(t, e);
  t.done();
}

void read_augmentation(TrainingReader t, AugmentationSpec& a) {
  a.shift = t.count32("shift", a.shift);
  a.jitter_ms = t.number("jitter", kMs, a.jitter_ms);
  a.blend = t.number("blend", {}, a.blend);
  a.crop_ms = t.number("crop", kMs, a.crop_ms);
  a.rotation_degrees = t.number("rotation", {}, a.rotation_degrees);
  a.rotation_probability = t.number("rotation_probability", {}, a.rotation_probability);
  a.rotation_gain = t.number("rotation_gain", {}, a.rotation_gain);
  if (const toml::node* node = t.get("skew")) {
    const std::vector<double> range = read_list(t.context(), *node, t.path_of("skew"), {});
    if (range.size() == 2) {
      a.skew_low = range[0];
      a.skew_high = range[1];
    } else {
      t.complain("skew", "A skew is a list of two factors: the lowest and the highest.");
    }
  }
  t.done();
}

void read_generator(TrainingReader t, GeneratorSpec& g) {
  g.training_samples = positive(t, "training_samples", g.training_samples);
  g.test_samples = positive(t, "test_samples", g.test_samples);
  g.seed = t.count("seed", g.seed);
  g.dimension = t.count32("dimension", g.dimension);
  g.smoothness = t.number("smoothness", {}, g.smoothness);
  g.classes = t.count32("classes", g.classes);
  g.channels = t.count32("channels", g.channels);
  g.cutoff = t.count32("cutoff", g.cutoff);
  g.cues = t.count32("cues", g.cues);
  t.done();
}

// shape = 700 or [height, width, channels]
Shape read_shape(TrainingReader& t) {
  const toml::node* node = t.need("shape");
  if (node == nullptr) return {1, 1, 1};
  if (!node->is_array()) return {1, t.count32("shape", 0), 1};
  Shape shape = {0, 0, 0};
  const std::vector<double> sizes = read_list(t.context(), *node, t.path_of("shape"), {});
  const bool good = sizes.size() == 3 && std::all_of(sizes.begin(), sizes.end(), [](double x) {
                      return x >= 1.0 && x <= 65'536.0 && x == std::floor(x);
                    });
  if (good) {
    shape = {static_cast<std::uint32_t>(sizes[0]), static_cast<std::uint32_t>(sizes[1]),
             static_cast<std::uint32_t>(sizes[2])};
  } else {
    t.complain("shape",
               "A shape is a number of channels, or a list of height, width and channels, each at "
               "least 1.");
  }
  return good ? shape : Shape{1, 1, 1};
}

// classes = 3 or ["yes", "no"]
std::vector<std::string> read_classes(TrainingReader& t) {
  constexpr std::uint32_t kMostClasses = 65'536;
  std::vector<std::string> names;
  const toml::node* node = t.need("classes");
  if (node == nullptr) return {"0", "1"};
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& entry : *list) {
      const std::string path = fmt::format("{}[{}]", t.path_of("classes"), names.size());
      names.push_back(
          read_text(t.context(), entry, path, {}).value_or(std::to_string(names.size())));
    }
    return names;
  }
  const std::uint32_t count = t.count32("classes", 0);
  if (count > kMostClasses) {
    t.complain("classes", fmt::format("At most {} classes are possible.", kMostClasses));
    return {"0", "1"};
  }
  for (std::uint32_t c = 0; c < count; ++c) names.push_back(std::to_string(c));
  return names;
}

void read_file_spec(TrainingReader t, FileSpec& f) {
  t.need("training");
  f.training = t.text("training", f.training);
  f.training_labels = t.text("training_labels", f.training_labels);
  f.test = t.text("test", f.test);
  f.test_labels = t.text("test_labels", f.test_labels);
  f.content = t.word<FileContent>(
      "content", f.content, {{"spikes", FileContent::spikes}, {"values", FileContent::values}});
  f.shape = read_shape(t);
  f.classes = read_classes(t);
  optional_number(t, "step", kMs, f.step_ms);
  t.done();
}

// Problems of a DataSpec carry the names of its fields; the file has keys without units.
std::string key_path(std::string path) {
  for (const char* unit : {"_ms", "_hz", "_degrees"}) {
    if (path.ends_with("bias_ms")) return path.substr(0, path.size() - 2) + "time";
    if (path.ends_with(unit)) path.resize(path.size() - std::string(unit).size());
  }
  for (const char* end : {"_low", "_high"}) {
    if (path.ends_with(std::string("skew") + end))
      path.resize(path.size() - std::string(end).size());
  }
  if (path == "data.dataset") return "data.set";
  return path;
}

// What stands for the data while these have mistakes, so that mistakes elsewhere are still found.
void assume_shape(training::Network& network, const DataSpec& data) {
  network.input = {64, 64, 2};
  network.steps = data.encoder.steps > 0 ? data.encoder.steps : 1;
  network.dt_ms = data.encoder.dt_ms > 0.0 ? data.encoder.dt_ms : 1.0;
  network.classes = 0;  // the last layer decides, see read_layers
}

}  // namespace

void read_data(TrainingReader& top, TrainingModel& model) {
  DataSpec& data = model.data;
  assume_shape(model.network, data);
  if (top.need("data") == nullptr) return;
  const toml::table* table = top.table("data");
  if (table == nullptr) return;
  ModelContext& c = top.context();
  TrainingReader t(c, *table, "data");
  data.where = c.problems.location(table->source(), "data");
  if (t.need("set") != nullptr) {
    data.dataset = t.choice("set", "", dataset_names());
  }
  data.folder = t.text("folder", data.folder);
  data.cache_megabytes = t.count("cache_megabytes", data.cache_megabytes);
  if (const toml::table* part = t.table("encoder"))
    read_encoder({c, *part, "data.encoder"}, data.encoder);
  if (const toml::table* part = t.table("augmentation"))
    read_augmentation({c, *part, "data.augmentation"}, data.augmentation);
  const toml::table* file = t.table("file");
  if (file != nullptr) read_file_spec({c, *file, "data.file"}, data.file);
  if (file == nullptr && data.dataset == "file") {
    t.complain("set", "The set 'file' needs a table [data.file] that names its files.");
    return assume_shape(model.network, data);
  }
  if (const toml::table* part = t.table("generator"))
    read_generator({c, *part, "data.generator"}, data.generator);
  t.done();
  if (data.dataset.empty()) return assume_shape(model.network, data);
  std::vector<Problem> problems = validate(data);
  if (!problems.empty()) {
    for (Problem& problem : problems) {
      problem.where.key_path = key_path(problem.where.key_path);
      c.problems.add(std::move(problem));
    }
    // The time step that the data set would have given is not known either.
    if (data.encoder.dt_ms == 0.0) c.problems.spoil("data.encoder.dt");
    return assume_shape(model.network, data);
  }
  const EncoderSpec encoder = with_defaults(data).encoder;
  model.network.input = encoded_shape(data);
  model.network.classes = class_count(data);
  model.network.steps = encoder.steps;
  model.network.dt_ms = encoder.dt_ms;
}

}  // namespace tessera::io
