// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "results/training_metrics.hpp"

#include <cmath>
#include <limits>

#include "files/file.hpp"
#include "files/sealed_json.hpp"

namespace tessera::io {
namespace {

using json = nlohmann::ordered_json;
using training::EpochMetrics;
using training::LayerActivity;

constexpr int kDeepest = 8;
constexpr std::uint64_t kLongestReport = std::uint64_t{1} << 26;
constexpr std::size_t kMostEpochs = 1'000'000;

json number_or_null(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json layer_json(const LayerActivity& layer) {
  return {{"name", layer.name},
          {"spikes", layer.spikes},
          {"listed", layer.listed},
          {"dropped_spikes", layer.dropped_spikes},
          {"dropped_gradients", layer.dropped_gradients},
          {"neuron_steps", layer.neuron_steps},
          {"silent_neurons", layer.silent_neurons}};
}

json counts_json(const training::RewiringCounts& counts) {
  return {{"name", counts.name},
          {"synapses", counts.synapses},
          {"formed", counts.formed},
          {"eliminated", counts.eliminated},
          {"refused", counts.refused}};
}

// Reads one object; every wrong key is a sentence with its name.
class ObjectReader {
 public:
  ObjectReader(const json& object, const std::string& file, std::string path)
      : object_(object), file_(file), path_(std::move(path)) {
    if (!object.is_object()) fail("", "this must be an object.");
  }

  double number(const char* key) const {
    const json& value = at(key);
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value.is_number()) fail(key, "this must be a number.");
    return value.get<double>();
  }
  template <class Count>
  void count(const char* key, Count& into) const {
    const json& value = at(key);
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > std::numeric_limits<Count>::max()) {
      fail(key, "this must be a whole number.");
    }
    into = value.get<Count>();
  }
  std::string text(const char* key) const {
    const json& value = at(key);
    if (!value.is_string()) fail(key, "this must be a text.");
    return value.get<std::string>();
  }
  const json& list(const char* key) const {
    const json& value = at(key);
    if (!value.is_array()) fail(key, "this must be a list.");
    return value;
  }
  [[nodiscard]] bool has(const char* key) const { return object_.contains(key); }
  std::string path_of(const std::string& key) const { return path_ + "." + key; }

 private:
  const json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(key, "this is missing.");
    return *found;
  }
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw InputError({{{file_, 0, 0, key.empty() ? path_ : path_of(key)}, what}});
  }

  const json& object_;
  const std::string& file_;
  std::string path_;
};

LayerActivity layer_of(const ObjectReader& o) {
  LayerActivity layer;
  layer.name = o.text("name");
  o.count("spikes", layer.spikes);
  o.count("listed", layer.listed);
  o.count("dropped_spikes", layer.dropped_spikes);
  o.count("dropped_gradients", layer.dropped_gradients);
  o.count("neuron_steps", layer.neuron_steps);
  o.count("silent_neurons", layer.silent_neurons);
  return layer;
}

EpochMetrics epoch_of(const ObjectReader& o, const std::string& file) {
  EpochMetrics epoch;
  o.count("epoch", epoch.epoch);
  if (epoch.epoch == 0) throw InputError(file + ": epochs are counted from 1.");
  --epoch.epoch;
  epoch.loss = o.number("loss");
  epoch.accuracy = o.number("accuracy");
  epoch.validation_loss = o.number("validation_loss");
  epoch.validation_accuracy = o.number("validation_accuracy");
  epoch.learning_rate = o.number("learning_rate");
  epoch.theta_grad = o.number("theta_grad");
  epoch.seconds = o.number("seconds");
  epoch.samples_per_second = o.number("samples_per_second");
  const json& layers = o.list("layers");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string path = o.path_of("layers[" + std::to_string(i) + "]");
    epoch.layers.push_back(layer_of(ObjectReader(layers[i], file, path)));
  }
  if (!o.has("rewiring")) return epoch;  // nothing rewires
  epoch.rewiring_seconds = o.number("rewiring_seconds");
  const json& rewiring = o.list("rewiring");
  for (std::size_t i = 0; i < rewiring.size(); ++i) {
    const ObjectReader one(rewiring[i], file, o.path_of("rewiring[" + std::to_string(i) + "]"));
    training::RewiringCounts counts;
    counts.name = one.text("name");
    one.count("synapses", counts.synapses);
    one.count("formed", counts.formed);
    one.count("eliminated", counts.eliminated);
    one.count("refused", counts.refused);
    epoch.rewiring.push_back(std::move(counts));
  }
  return epoch;
}

}  // namespace

json metrics_json(const std::vector<EpochMetrics>& epochs) {
  json list = json::array();
  for (const EpochMetrics& epoch : epochs) {
    json layers = json::array();
    for (const LayerActivity& layer : epoch.layers) layers.push_back(layer_json(layer));
    list.push_back({{"epoch", epoch.epoch + 1},
                    {"loss", number_or_null(epoch.loss)},
                    {"accuracy", number_or_null(epoch.accuracy)},
                    {"validation_loss", number_or_null(epoch.validation_loss)},
                    {"validation_accuracy", number_or_null(epoch.validation_accuracy)},
                    {"learning_rate", number_or_null(epoch.learning_rate)},
                    {"theta_grad", number_or_null(epoch.theta_grad)},
                    {"seconds", number_or_null(epoch.seconds)},
                    {"samples_per_second", number_or_null(epoch.samples_per_second)},
                    {"layers", layers}});
    if (epoch.rewiring.empty()) continue;
    list.back()["rewiring_seconds"] = number_or_null(epoch.rewiring_seconds);
    for (const training::RewiringCounts& counts : epoch.rewiring) list.back()["rewiring"].push_back(counts_json(counts));
  }
  return list;
}

json parse_json(const std::string& text, const std::string& name) {
  const auto limit_depth = [&name](int depth, json::parse_event_t, json&) {
    if (depth > kDeepest) throw InputError(name + ": it is nested too deeply.");
    return true;
  };
  try {
    return json::parse(text, limit_depth);
  } catch (const json::exception& error) {
    throw InputError(name + ": it is damaged or no JSON: " + error.what());
  }
}

json read_report(const std::filesystem::path& file) {
  const std::string text = read_file(file, kLongestReport);
  require_seal(text, file.string());
  json report = parse_json(text, file.string());
  report.erase("checksum");
  return report;
}

std::vector<EpochMetrics> parse_metrics(const std::string& text, const std::string& name) {
  const json list = parse_json(text, name);
  if (!list.is_array() || list.size() > kMostEpochs) {
    throw InputError(name + ": the metrics are not a list of epochs.");
  }
  std::vector<EpochMetrics> epochs;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string path = "[" + std::to_string(i) + "]";
    epochs.push_back(epoch_of(ObjectReader(list[i], name, path), name));
  }
  return epochs;
}

}  // namespace tessera::io
