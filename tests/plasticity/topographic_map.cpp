// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "plasticity/topographic_map.hpp"

#include <algorithm>
#include <cmath>

#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

using F = MapFigures;

/// Sums over the sources of one target.
struct Field {
  double n = 0.0, square = 0.0, weight = 0.0, weighted_square = 0.0;
};

MapFigures figures_of(const Simulation& simulation, std::size_t projection) {
  constexpr double kLargest = 200.0;
  const SimulationReport report = simulation.report();
  const RewiringReport* rewiring = report.rewiring.empty() ? nullptr : &report.rewiring.at(projection);
  std::vector<Field> fields(256);
  MapFigures f{};
  double n = 0.0;
  for (const auto& s : simulation.synapses(projection == 0 ? "feed_forward" : "lateral")) {
    const auto gap = [](std::uint32_t a, std::uint32_t b) {
      const int direct = std::abs(static_cast<int>(a) - static_cast<int>(b));
      return static_cast<double>(std::min(direct, 16 - direct));
    };
    const double dx = gap(s.source % 16, s.target % 16), dy = gap(s.source / 16, s.target / 16), g = s.weight / kLargest;
    Field& field = fields[s.target];
    n += 1.0;
    f.weight += g;
    f.weak += g < 0.5 ? 1.0 : 0.0;
    field.n += 1.0;
    field.square += dx * dx + dy * dy;
    field.weight += g;
    field.weighted_square += g * (dx * dx + dy * dy);
  }
  double with_sources = 0.0;
  for (const Field& field : fields) {
    if (field.weight == 0.0) continue;
    with_sources += 1.0;
    f.width += std::sqrt(0.5 * field.square / field.n);
    f.weighted_width += std::sqrt(0.5 * field.weighted_square / field.weight);
  }
  f.per_neuron = n / 256.0;
  f.weight /= n;
  f.weak /= n;
  f.width /= with_sources;
  f.weighted_width /= with_sources;
  f.formed = rewiring == nullptr ? 0.0 : static_cast<double>(rewiring->formed);
  f.eliminated = rewiring == nullptr ? 0.0 : static_cast<double>(rewiring->eliminated);
  f.rate_hz = static_cast<double>(report.populations.at(1).spikes) / 256.0 / 60.0;
  return f;
}

std::vector<ExpectedFigure> expected(double per_neuron, double per_neuron_sd, double weight, double weight_sd, double weak, double weak_sd,
                                     double width, double width_sd, double weighted, double weighted_sd) {
  return {{"synapses per neuron", &F::per_neuron, per_neuron, per_neuron_sd},
          {"mean weight", &F::weight, weight, weight_sd},
          {"weak ones", &F::weak, weak, weak_sd},
          {"width", &F::width, width, width_sd},
          {"width by weight", &F::weighted_width, weighted, weighted_sd}};
}
std::vector<ExpectedFigure> with_counts(std::vector<ExpectedFigure> e, double formed, double formed_sd, double eliminated, double eliminated_sd) {
  e.push_back({"formed", &F::formed, formed, formed_sd});
  e.push_back({"eliminated", &F::eliminated, eliminated, eliminated_sd});
  return e;
}
std::vector<ExpectedFigure> with_rate(std::vector<ExpectedFigure> e, double rate, double sd) {
  e.push_back({"spikes/s of a target", &F::rate_hz, rate, sd});
  return e;
}

}  // namespace

std::span<const MapCase> map_cases() {
  static const std::vector<MapCase> cases{
      {"complete", {},
       with_rate(with_counts(expected(23.874, 0.233, 0.781, 0.006, 0.144, 0.004, 2.124, 0.005, 1.972, 0.009), 10891.8, 107.9, 6383.8, 47.3), 35.234, 0.4),
       with_counts(expected(8.208, 0.129, 0.616, 0.013, 0.359, 0.02, 1.094, 0.007, 1.018, 0.01), 6079.4, 55.4, 5592.2, 73.0)},
      {"without learning", {{"learns", "false"}},
       with_rate(with_counts(expected(43.927, 0.173, 1.0, 0.0, 0.0, 0.0, 2.689, 0.003, 2.689, 0.003), 10078.3, 39.4, 425.0, 16.3), 118.173, 0.511),
       with_counts(expected(18.015, 0.172, 1.0, 0.0, 0.0, 0.0, 1.304, 0.004, 1.304, 0.004), 3219.0, 53.2, 220.7, 7.8)},
      {"flat input", {{"correlated", "0"}},
       with_rate(with_counts(expected(15.004, 0.421, 0.637, 0.018, 0.325, 0.022, 2.437, 0.025, 2.369, 0.028), 12010.0, 105.9, 9761.0, 51.3), 21.26, 0.342),
       with_counts(expected(10.12, 0.222, 0.728, 0.004, 0.219, 0.004, 1.181, 0.017, 1.165, 0.024), 5856.3, 27.8, 4879.3, 44.7)},
      {"without rewiring", {{"rewires", "false"}},
       with_rate(expected(6.219, 0.028, 0.804, 0.007, 0.136, 0.008, 2.416, 0.021, 2.153, 0.014), 4.123, 0.13),
       expected(6.303, 0.064, 0.902, 0.002, 0.05, 0.003, 0.967, 0.002, 0.957, 0.002)}};
  return cases;
}

MapRun run_map(const MapCase& which, std::uint64_t seed) {
  const Network network =
      load_model_file(TESSERA_SOURCE_DIR "/models/topographic_map/topographic_map.toml", NeuronCatalogue::builtin(), which.overrides);
  SimulationOptions options;
  options.seed = seed;
  options.threads = 1;
  Simulation simulation(network, NeuronCatalogue::builtin(), options);
  simulation.run(60000.0);
  return {figures_of(simulation, 0), figures_of(simulation, 1)};
}

std::vector<Deviation> deviations(const MapCase& which, std::span<const MapRun> runs) {
  std::vector<Deviation> all;
  const auto compare = [&](const std::vector<ExpectedFigure>& figures, MapFigures MapRun::* projection, const char* name) {
    for (const ExpectedFigure& e : figures) {
      const auto n = static_cast<double>(runs.size());
      double mean = 0.0, square = 0.0;
      for (const MapRun& run : runs) mean += run.*projection.*e.figure / n;
      for (const MapRun& run : runs) square += (run.*projection.*e.figure - mean) * (run.*projection.*e.figure - mean);
      const double sd = std::sqrt(square / std::max(1.0, n - 1.0)), larger = std::max(sd, e.sd), gap = std::abs(mean - e.mean);
      all.push_back({std::string(name) + ", " + e.what, mean, sd, e.mean, e.sd, gap == 0.0 ? 0.0 : gap / larger});
    }
  };
  compare(which.feed_forward, &MapRun::feed_forward, "feed-forward");
  compare(which.lateral, &MapRun::lateral, "lateral");
  return all;
}

}  // namespace tessera::test
