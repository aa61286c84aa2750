// The trade-off between delivery speed and communication volume: a sweep over tiles and group size.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
//
// Usage: bench_sweep MODEL OUT_FOLDER [name=value ...]      writes sweep.csv and sweep.svg
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tessera/model_file.hpp"
#include "tessera/plot.hpp"
#include "tessera/simulation.hpp"

namespace {

using namespace tessera;

constexpr double kTime_ms = 500.0;

struct Point {
  int tiles, group_size;
  double deliver_ns;       ///< per synaptic event
  double bytes_per_spike;  ///< communicated
  double visits_per_spike;
  std::uint64_t digest;
};

Point measure(const Network& network, const NeuronCatalogue& models, int tiles, int group_size) {
  SimulationOptions options;
  options.seed = network.seed;
  options.tiles = tiles;
  options.group_size = group_size;
  options.connectivity = Connectivity::stored;
  Simulation simulation(network, models, options);
  simulation.run(100.0);
  const SimulationReport before = simulation.report();
  simulation.run(kTime_ms);
  const SimulationReport after = simulation.report();
  const double events = static_cast<double>(after.counts.synaptic_events - before.counts.synaptic_events);
  const double spikes = static_cast<double>(after.counts.spikes - before.counts.spikes);
  const double bytes = static_cast<double>(after.counts.exchanged_bytes - before.counts.exchanged_bytes);
  const double visits = static_cast<double>(after.counts.row_visits - before.counts.row_visits);
  return {after.tiles, group_size, (after.phases.deliver - before.phases.deliver) * after.threads / events * 1e9,
          bytes / spikes, visits / spikes, after.digest};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_sweep MODEL OUT_FOLDER [name=value ...]\n");
    return 2;
  }
  try {
    std::vector<ParameterOverride> overrides;
    for (int i = 3; i < argc; ++i) {
      const std::string text = argv[i];
      overrides.emplace_back(text.substr(0, text.find('=')), text.substr(text.find('=') + 1));
    }
    const NeuronCatalogue models = NeuronCatalogue::builtin();
    const Network network = load_model_file(argv[1], models, overrides);
    const std::filesystem::path folder = argv[2];
    std::filesystem::create_directories(folder);
    std::ofstream csv(folder / "sweep.csv");
    csv << "tiles,group_size,deliver_ns_per_event,bytes_per_spike,row_visits_per_spike,digest\n";
    Chart chart;
    chart.title = "Delivery speed and communication volume by group size";
    chart.x_label = "bytes communicated per spike";
    chart.y_label = "delivery, ns per synaptic event";
    for (const int tiles : {2, 4, 8, 16}) {
      Chart::Series series;
      series.label = std::to_string(tiles) + " tiles";
      for (int group_size = 1; group_size <= tiles; group_size *= 2) {
        const Point point = measure(network, models, tiles, group_size);
        csv << point.tiles << ',' << group_size << ',' << point.deliver_ns << ',' << point.bytes_per_spike << ','
            << point.visits_per_spike << ',' << std::hex << point.digest << std::dec << '\n' << std::flush;
        std::printf("%2d tiles, groups of %2d: %.2f ns per event, %.1f bytes and %.1f row visits per spike\n",
                    point.tiles, group_size, point.deliver_ns, point.bytes_per_spike, point.visits_per_spike);
        std::fflush(stdout);
        series.x.push_back(point.bytes_per_spike);
        series.y.push_back(point.deliver_ns);
      }
      chart.series.push_back(std::move(series));
    }
    std::ofstream(folder / "sweep.svg") << chart_svg(chart);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_sweep: %s\n", error.what());
    return 1;
  }
}
