// Reading a NEST case and comparing with it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "nest_cases/nest_case_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "tessera/errors.hpp"

namespace tessera::nest_cases {
namespace {

constexpr std::uint32_t kMostNeurons = 1'000'000;
constexpr std::uint32_t kMostSteps = 100'000'000;

[[noreturn]] void fail(const std::filesystem::path& file, int line, const std::string& sentence) {
  throw InputError(std::vector<Problem>{{SourceLocation{file.string(), line, 0, ""}, sentence}});
}

std::ifstream opened(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) fail(file, 0, "The file cannot be opened; a NEST case needs it.");
  return stream;
}

/// The numbers of a CSV file with `columns` columns and one heading line.
std::vector<std::vector<double>> read_table(const std::filesystem::path& file,
                                            std::size_t columns) {
  std::ifstream stream = opened(file);
  std::vector<std::vector<double>> rows;
  std::string line;
  std::getline(stream, line);  // headings
  for (int number = 2; std::getline(stream, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    std::vector<double> row;
    for (const char *at = line.data(), *end = at + line.size(); at <= end;) {
      double value = 0.0;
      const auto [next, error] = std::from_chars(at, end, value);
      if (error != std::errc{} || !std::isfinite(value) || (next != end && *next != ',')) {
        fail(file, number, fmt::format("'{}' is not a row of finite numbers.", line));
      }
      row.push_back(value);
      at = next + 1;
    }
    if (row.size() != columns) {
      fail(file, number, fmt::format("{} columns are needed, {} were found.", columns, row.size()));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::uint32_t whole(const std::filesystem::path& file, double value, double low, double high,
                    const char* what) {
  if (!(value >= low && value <= high) || value != std::floor(value)) {
    fail(file, 0,
         fmt::format("{} {} is not a whole number from {} to {}.", what, value, low, high));
  }
  return static_cast<std::uint32_t>(value);
}

void read_description(const std::filesystem::path& file, NestCase& nest) {
  try {
    std::ifstream stream = opened(file);
    const nlohmann::json json = nlohmann::json::parse(stream);
    nest.model = json.at("model").get<std::string>();
    nest.parameters = json.at("parameters").get<std::map<std::string, double>>();
    nest.neurons = whole(file, json.at("n").get<double>(), 1, kMostNeurons, "n =");
    nest.dt_ms = json.at("dt_ms").get<double>();
    if (!(nest.dt_ms >= 1e-6)) fail(file, 0, "dt_ms must be positive.");
    nest.steps = whole(file, std::round(json.at("T_ms").get<double>() / nest.dt_ms), 1, kMostSteps,
                       "The number of steps");
  } catch (const nlohmann::json::exception& error) {
    fail(file, 0, fmt::format("This is not the description of a NEST case: {}.", error.what()));
  }
}

}  // namespace

NestCase read_case(const std::filesystem::path& folder) {
  NestCase nest;
  nest.name = std::filesystem::weakly_canonical(folder).filename().string();
  read_description(folder / "case.json", nest);
  const double last = nest.neurons - 1.0;
  std::filesystem::path file = folder / "connections.csv";
  for (const auto& row : read_table(file, 4)) {
    nest.connections.push_back({whole(file, row[0], 0, last, "Source"),
                                whole(file, row[1], 0, last, "Target"), row[2],
                                whole(file, row[3], 1, kMostSteps, "Delay")});
  }
  file = folder / "neurons.csv";
  for (const auto& row : read_table(file, 3)) {
    whole(file, row[0], static_cast<double>(nest.current_pA.size()), last, "Neuron");
    nest.current_pA.push_back(row[1]);
    nest.initial_v_mV.push_back(row[2]);
  }
  if (nest.current_pA.size() != nest.neurons) {
    fail(file, 0,
         fmt::format("{} rows are needed, {} were found.", nest.neurons, nest.current_pA.size()));
  }
  file = folder / "spikes.csv";
  for (const auto& row : read_table(file, 2)) {
    nest.spikes.push_back(
        {whole(file, row[0], 1, nest.steps, "Step"), whole(file, row[1], 0, last, "Neuron")});
  }
  std::sort(nest.spikes.begin(), nest.spikes.end());
  file = folder / "membrane.csv";
  for (const auto& row : read_table(file, 3)) {
    nest.membrane.push_back({whole(file, std::round(row[0] / nest.dt_ms), 1, nest.steps, "Step"),
                             whole(file, row[1], 0, last, "Neuron"), row[2]});
  }
  std::sort(nest.membrane.begin(), nest.membrane.end(),
            [](const MembraneSample& a, const MembraneSample& b) {
              return std::pair(a.step, a.id) < std::pair(b.step, b.id);
            });
  return nest;
}

Comparison compare(const NestCase& nest, const Outcome& outcome) {
  Comparison result;
  std::vector<SpikeAt> ours = outcome.spikes;
  std::sort(ours.begin(), ours.end());
  result.spikes = ours.size();
  result.nest_spikes = nest.spikes.size();
  const auto [a, b] =
      std::mismatch(ours.begin(), ours.end(), nest.spikes.begin(), nest.spikes.end());
  if (a != ours.end() || b != nest.spikes.end()) {
    const std::uint32_t none = UINT32_MAX;
    result.first_difference =
        std::min(a != ours.end() ? a->step : none, b != nest.spikes.end() ? b->step : none);
  }
  std::vector<std::uint32_t> first_spike(nest.neurons, UINT32_MAX);
  for (const SpikeAt& spike : nest.spikes) {
    first_spike[spike.id] = std::min(first_spike[spike.id], spike.step);
  }
  for (std::size_t i = 0; i < nest.membrane.size(); ++i) {
    const MembraneSample& sample = nest.membrane[i];
    // A NaN must not look like agreement.
    const double given = i < outcome.v_mV.size() ? outcome.v_mV[i] : std::nan("");
    const double deviation = std::isfinite(given) ? std::abs(given - sample.v_mV)
                                                  : std::numeric_limits<double>::infinity();
    result.largest_deviation_mV = std::max(result.largest_deviation_mV, deviation);
    if (sample.step < first_spike[sample.id]) {
      result.deviation_before_spike_mV = std::max(result.deviation_before_spike_mV, deviation);
    }
  }
  return result;
}

bool integrated_exactly(const NestCase& nest) {
  return nest.model == "iaf_psc_exp" || nest.model == "iaf_psc_alpha" ||
         nest.model == "iaf_psc_delta";
}

std::vector<std::string> out_of_bounds(const NestCase& nest, const Comparison& found) {
  std::vector<std::string> problems;
  if (integrated_exactly(nest)) {
    const double first_ms = static_cast<double>(found.first_difference) * nest.dt_ms;
    if (found.first_difference >= 0 && first_ms <= 500.0) {
      problems.push_back(
          fmt::format("Spikes differ from step {} ({:.1f} ms) on; they must be equal "
                      "for 500 ms.",
                      found.first_difference, first_ms));
    }
    if (!(found.largest_deviation_mV <= 1e-9)) {
      problems.push_back(fmt::format("A membrane potential deviates by {:.3g} mV; 1e-9 is allowed.",
                                     found.largest_deviation_mV));
    }
    return problems;
  }
  const double expected = static_cast<double>(found.nest_spikes);
  const double difference = std::abs(static_cast<double>(found.spikes) - expected);
  if (difference > 0.01 * expected) {
    problems.push_back(
        fmt::format("{} spikes differ by more than 1 % from {}.", found.spikes, found.nest_spikes));
  }
  if (!(found.deviation_before_spike_mV <= 1e-3)) {
    problems.push_back(
        fmt::format("A membrane potential deviates by {:.3g} mV before the first "
                    "spike; 1e-3 is allowed.",
                    found.deviation_before_spike_mV));
  }
  return problems;
}

}  // namespace tessera::nest_cases
