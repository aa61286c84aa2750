// Every connectivity rule, stored and procedural, with constant and with drawn weights and delays: time of
// construction per synapse, of a run per synaptic event, memory per synapse.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
//
// Usage: bench_rules OUT_FOLDER [size=12500] [density=0.1] [time=300] [repetitions=3] [threads=1] [rules=a,b]
// writes rules.csv. Times are those of the processor, summed over the threads, so that neighbours on the
// machine count as little as possible; stored and procedural take turns, and the least of all repetitions counts.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tessera/simulation.hpp"

namespace {

using namespace tessera;
using Kind = ConnectivityRule::Kind;
using Settings = std::map<std::string, std::string>;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// How many synapses a rule shall make, and what it is called in the table.
struct Case {
  std::string name;
  Kind kind;
  bool autapses, multapses;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {{"fixed_total_number", Kind::fixed_total_number, true, true},
                                        {"fixed_total_number distinct", Kind::fixed_total_number, true, false},
                                        {"fixed_indegree", Kind::fixed_indegree, true, true},
                                        {"fixed_indegree distinct no autapses", Kind::fixed_indegree, false, false},
                                        {"fixed_outdegree", Kind::fixed_outdegree, true, true},
                                        {"fixed_outdegree distinct", Kind::fixed_outdegree, true, false},
                                        {"pairwise_bernoulli", Kind::pairwise_bernoulli, true, true},
                                        {"gaussian_2d sigma 5", Kind::gaussian_2d, true, true},
                                        {"all_to_all", Kind::all_to_all, true, true},
                                        {"one_to_one", Kind::one_to_one, true, true}};
  return all;
}

/// Random balanced network (Brunel 2000) of `size` neurons, its recurrent synapses by the rule of a case.
Network network_of(const Case& what, std::uint32_t size, double density, bool drawn_weights, bool drawn_delays) {
  if (what.kind == Kind::gaussian_2d) size = 12500;          // a sheet of 100 x 100 and one of 50 x 50
  if (what.kind == Kind::all_to_all) size /= 10;
  constexpr double kTheta = 20.0, kTau = 20.0, kWeight = 0.1, kInhibition = 5.0, kDrive = 2.0;
  Network network;
  network.name = what.name;
  network.rate_limit_hz = 1e4;
  const std::uint32_t sizes[2] = {size * 4 / 5, size / 5};
  for (int p = 0; p < 2; ++p) {
    Population population;
    population.name = p == 0 ? "E" : "I";
    population.size = sizes[p];
    population.model = "iaf_psc_delta";
    population.parameters = {{"tau_m", kTau}, {"E_L", 0.0}, {"V_th", kTheta}, {"V_reset", 10.0}, {"t_ref", 2.0}};
    population.initial["V_m"].distribution = Distribution::uniform(0.0, kTheta);
    if (what.kind == Kind::gaussian_2d) population.grid_columns = p == 0 ? 100 : 50;
    network.populations.push_back(population);
    Stimulus drive;
    drive.name = "drive_" + population.name;
    drive.kind = Stimulus::Kind::poisson;
    drive.target = population.name;
    drive.rate_hz = kDrive * kTheta / (kWeight * kTau) * 1000.0;
    drive.weight = kWeight;
    network.stimuli.push_back(drive);
  }
  for (int from = 0; from < 2; ++from) {
    for (int to = 0; to < 2; ++to) {
      const bool sheets = what.kind == Kind::gaussian_2d || what.kind == Kind::one_to_one;
      if (sheets && from != to) continue;
      const auto sources = sizes[from], targets = sizes[to];
      Projection p;
      p.name = std::to_string(from) + std::to_string(to);
      p.source = network.populations[static_cast<std::size_t>(from)].name;
      p.target = network.populations[static_cast<std::size_t>(to)].name;
      p.rule.kind = what.kind;
      p.rule.autapses = what.autapses;
      p.rule.multapses = what.multapses;
      p.rule.probability = what.kind == Kind::gaussian_2d ? 1.0 : density;
      p.rule.sigma = 5.0;
      const auto degree = static_cast<std::uint64_t>(density * sources + 0.5);
      if (what.kind == Kind::fixed_indegree) p.rule.number = degree;
      if (what.kind == Kind::fixed_total_number) p.rule.number = degree * targets;
      if (what.kind == Kind::fixed_outdegree) p.rule.number = degree * targets / sources;
      const double weight = (from == 0 ? 1.0 : -kInhibition) * kWeight * 125.0 / (density * size);
      p.weight = drawn_weights ? Distribution::normal(weight, 0.1 * std::abs(weight)) : Distribution::constant(weight);
      p.delay_ms = drawn_delays ? Distribution::normal(12.0, 4.0).within(0.1, 24.0) : Distribution::constant(1.5);
      network.projections.push_back(p);
    }
  }
  return network;
}

struct Figures {
  double construction_ns = 1e300, run_ns = 1e300, bytes = 0.0;
  std::uint64_t synapses = 0, digest = 0;
  double rate_hz = 0.0;
};

void measure(const Network& network, Connectivity connectivity, double time_ms, int threads, Figures& figures) {
  SimulationOptions options;
  options.connectivity = connectivity;
  options.threads = threads;
  const double start = processor_seconds();
  Simulation simulation(network, NeuronCatalogue::builtin(), options);
  const double built = processor_seconds();
  simulation.run(time_ms);
  const double done = processor_seconds();
  const SimulationReport report = simulation.report();
  if (report.counts.synapses > 0) figures.synapses = report.counts.synapses;
  const auto synapses = static_cast<double>(std::max<std::uint64_t>(1, figures.synapses));
  figures.construction_ns = std::min(figures.construction_ns, 1e9 * (built - start) / synapses);
  figures.run_ns = std::min(figures.run_ns, 1e9 * (done - built) / static_cast<double>(std::max<std::uint64_t>(1, report.counts.synaptic_events)));
  figures.bytes = static_cast<double>(report.synapse_bytes) / synapses;
  figures.digest = report.digest;
  figures.rate_hz = static_cast<double>(report.counts.spikes) / static_cast<double>(report.counts.neurons) / time_ms * 1000.0;
}

double number(const Settings& settings, const std::string& name, double otherwise) {
  const auto found = settings.find(name);
  return found == settings.end() ? otherwise : std::stod(found->second);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_rules OUT_FOLDER [size=12500] [density=0.1] [time=300] [repetitions=3] [threads=1] [rules=a,b]\n");
    return 2;
  }
  try {
    Settings settings;
    for (int i = 2; i < argc; ++i) {
      const std::string text = argv[i];
      settings[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    }
    const auto size = static_cast<std::uint32_t>(number(settings, "size", 12500));
    const double density = number(settings, "density", 0.1), time_ms = number(settings, "time", 300);
    const int repetitions = static_cast<int>(number(settings, "repetitions", 3));
    const int threads = static_cast<int>(number(settings, "threads", 1));
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    std::ofstream csv(folder / "rules.csv");
    csv << "rule,weights,delays,connectivity,synapses,construction_ns_per_synapse,run_ns_per_event,bytes_per_synapse,rate_hz,digest\n";
    std::printf("%-40s %-9s %-9s | stored: M synapses/s, ns per event | procedural: ns per event, ratio, bytes per synapse\n", "rule", "weights", "delays");
    for (const Case& what : cases()) {
      if (settings.count("rules") > 0 && ("," + settings["rules"] + ",").find("," + what.name + ",") == std::string::npos) continue;
      for (const int drawn : {0, 1, 2, 3}) {
        const bool weights = drawn % 2 == 1, delays = drawn >= 2;
        const Network network = network_of(what, size, density, weights, delays);
        Figures stored, procedural;
        for (int r = 0; r < repetitions; ++r) {
          measure(network, Connectivity::stored, time_ms, threads, stored);
          procedural.synapses = stored.synapses;
          measure(network, Connectivity::procedural, time_ms, threads, procedural);
        }
        if (stored.digest != procedural.digest) throw std::runtime_error(what.name + ": stored and procedural differ");
        for (const auto& [name, f] : {std::pair{"stored", stored}, std::pair{"procedural", procedural}}) {
          csv << '"' << what.name << "\"," << (weights ? "normal" : "constant") << ',' << (delays ? "normal" : "constant") << ',' << name << ','
              << f.synapses << ',' << f.construction_ns << ',' << f.run_ns << ',' << f.bytes << ',' << f.rate_hz << ',' << std::hex
              << f.digest << std::dec << '\n' << std::flush;
        }
        std::printf("%-40s %-9s %-9s | %6.0f %6.2f | %6.2f %5.2f %7.4f   (%.0f Hz)\n", what.name.c_str(), weights ? "normal" : "constant",
                    delays ? "normal" : "constant", 1e3 / stored.construction_ns, stored.run_ns, procedural.run_ns,
                    procedural.run_ns / stored.run_ns, procedural.bytes, stored.rate_hz);
        std::fflush(stdout);
      }
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_rules: %s\n", error.what());
    return 1;
  }
}
