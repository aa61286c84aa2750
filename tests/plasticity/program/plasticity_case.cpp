// plasticity_case FILE: runs every case of a file of spike pairs through the engine, in exact precision, or of a file of
// e-prop cases through its float64 recursion, and prints the largest deviation of each from what the file expects. Exits
// with 1 when one is above 1e-9, with 2 for a bad file.
//
// The layout of spike pairs: {"cases": [{"name", "rule", "dt", "delay" (ms), "pre": [ms], "post": [ms], "w0", "params": {name: value},
// "expected": [{"t_synapse": ms, "event": "pre" | "post", "weight"}]}]}: the weight after every event, of events at one time
// the last. Rules of short-term plasticity: what every presynaptic spike transmits.
//
// e-prop (bellec2020): {"cases": [{"task": "mse" | "cross_entropy", "model", "params", "optimizer", "x": [input][step],
// "target": [output][step], "w_in", "w_rec", "w_out": [target][source], "B": [neuron][output], "expected": [{"loss",
// "spikes", weights before the iteration, gradients "g_in", "g_rec", "g_out"}]}]}. A list at the top: cases of ml_genn,
// compared with the float64 values beside them ("numpy").
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plasticity/spike_pairs.hpp"
#include "train/eprop_cases.hpp"

namespace {

using tessera::test::SpikePairs;

constexpr double kTolerance = 1e-9;

double deviation(double value, double expected) {
  return std::abs(value - expected) / std::max(std::abs(expected), 1e-300);
}

/// The largest relative deviation of a case.
double run_spike_pairs(const nlohmann::json& entry) {
  const SpikePairs pairs = tessera::test::spike_pairs_of(entry);
  std::vector<double> times, expected;
  for (const auto& event : entry.at("expected")) {
    const double time = event.at("t_synapse").get<double>();
    if (!times.empty() && std::abs(times.back() - time) < 1e-6) times.pop_back(), expected.pop_back();
    times.push_back(time);
    expected.push_back(event.at("weight").get<double>());
  }
  const bool short_term = pairs.rule.rfind("tsodyks", 0) == 0;
  const std::vector<double> weights =
      short_term ? tessera::test::transmitted(pairs) : tessera::test::weights_at(pairs, times, tessera::Precision::exact);
  if (weights.size() != expected.size()) throw std::runtime_error("the case expects another number of events");
  double largest = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double d = deviation(weights[i], expected[i]);
    largest = d > largest || std::isnan(d) ? d : largest;
  }
  return largest;
}

struct Case {
  std::string title;
  std::function<double()> deviation;
};

std::vector<Case> cases_of(const nlohmann::json& content) {
  std::vector<Case> cases;
  for (const auto& entry : content.is_array() ? content : content.at("cases")) {
    if (content.is_array()) {
      const std::string title = fmt::format("ml_genn {} {}", entry.at("kind").get<std::string>(),
                                            entry.at("alif").get<bool>() ? "alif" : "lif");
      cases.push_back({title, [&entry] { return tessera::test::mlgenn_deviation(entry, "numpy"); }});
    } else if (entry.contains("task")) {
      const std::string title = fmt::format("e-prop {} {}", entry.at("task").get<std::string>(),
                                            entry.at("model").get<std::string>());
      cases.push_back({title, [&entry] { return tessera::test::bellec2020_deviation(entry); }});
    } else {
      cases.push_back({entry.at("name").get<std::string>(), [&entry] { return run_spike_pairs(entry); }});
    }
  }
  return cases;
}

int run_file(const char* name) {
  std::ifstream file(name);
  if (!file) throw std::runtime_error(fmt::format("the file '{}' cannot be read", name));
  const nlohmann::json content = nlohmann::json::parse(file);
  const std::vector<Case> cases = cases_of(content);
  int bad = 0;
  for (const auto& [title, deviation] : cases) {
    try {
      const double largest = deviation();
      const bool good = largest <= kTolerance;
      fmt::print("{:40} {:9.2e}{}\n", title, largest, good ? "" : "  ABOVE 1e-9");
      bad += good ? 0 : 1;
    } catch (const std::exception& error) {
      fmt::print("{:40} {}\n", title, error.what());
      ++bad;
    }
  }
  fmt::print("{} cases, {} above 1e-9 or not run\n", cases.size(), bad);
  return bad == 0 && !cases.empty() ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    fmt::print(stderr, "Usage: plasticity_case FILE\nExample: plasticity_case stdp_cases.json\n");
    return 2;
  }
  try {
    return run_file(words[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "plasticity_case: error: {}\n", error.what());
    return 2;
  }
}
