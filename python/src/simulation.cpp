// Simulations: options, plan, the run with its recording, state, synapses, checkpoints, report.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "running_simulation.hpp"
#include "tessera/communicator.hpp"
#include "tessera/mpi_communicator.hpp"
#include "tessera/result.hpp"
#include "tessera/simulation.hpp"

namespace tessera::python {
namespace {

using Synapse = ConnectivityRule::Synapse;
static_assert(sizeof(Synapse) == 24);  // the record type of tessera/simulation.py

void run(RunningSimulation& s, double time_ms, nb::object progress) {
  const Busy busy(s.busy, "simulation");
  PendingError pending;
  s.recording.start(pending, std::move(progress));
  try {
    const nb::gil_scoped_release unlocked;
    s.simulation.run(time_ms, s.recording);
  } catch (...) {
    s.recording.end();
    s.failures->raise();
    throw;
  }
  s.recording.end();
  s.failures->raise();
  pending.raise();
}

template <class Enum>
Enum word_of(const char* what, const std::string& word, std::initializer_list<Enum> values) {
  std::vector<std::string> names;
  std::string all;
  for (const Enum value : values) {
    if (to_string(value) == word) return value;
    names.push_back(to_string(value));
    all += (all.empty() ? "'" : ", '") + names.back() + "'";
  }
  throw InputError(std::string(what) + " '" + word + "' is not known; choose from " + all + "." + did_you_mean(word, names));
}

Device device_of(const std::string& word) {
  if (word == "cpu") return {};
  if (word == "auto") return {Device::Kind::automatic};
  if (word == "emulated") return {Device::Kind::emulated};
  if (word == "cuda") return {Device::Kind::cuda};
  if (word.starts_with("cuda:") && word.size() > 5 && word.size() < 9 &&
      word.find_first_not_of("0123456789", 5) == std::string::npos) {
    return {Device::Kind::cuda, std::stoi(word.substr(5))};
  }
  throw InputError("device '" + word + "' is not known; choose from 'cpu', 'auto', 'cuda', 'cuda:N', 'emulated'.");
}

void set_options(SimulationOptions* o, std::uint64_t seed, int threads, int tiles, int group_size,
                 const std::string& connectivity, const std::string& precision, const std::string& device,
                 bool count_table, std::uint64_t memory_limit, bool ranks, std::optional<int> communicator, const std::string& exchange,
                 const std::string& placement) {
  new (o) SimulationOptions();
  o->seed = seed;
  o->threads = threads;
  o->tiles = tiles;
  o->group_size = group_size;
  o->connectivity = word_of("connectivity", connectivity,
                            {Connectivity::automatic, Connectivity::stored, Connectivity::procedural});
  o->precision = word_of("precision", precision, {Precision::fast, Precision::exact});
  o->device = device_of(device);
  o->count_table = count_table;
  o->memory_limit_bytes = memory_limit;
  o->exchange = word_of("exchange", exchange, {Exchange::automatic, Exchange::collective, Exchange::point_to_point});
  o->rank_placement = word_of("rank_placement", placement, {RankPlacement::spread, RankPlacement::pack});
  if (ranks) o->communicator = communicator ? communicator_of_mpi(*communicator) : launched_communicator();
}

nb::dict plan_of(const PythonNetwork& network, const SimulationOptions& options) {
  const NeuronCatalogue models = catalogue_of(network);
  Plan p;
  {
    const nb::gil_scoped_release unlocked;
    p = plan(network, models, options);
  }
  nb::dict d;
  d["neurons"] = p.neurons;
  d["synapses"] = p.synapses;
  d["synapses_expected"] = p.synapses_expected;
  d["connectivity"] = to_string(p.connectivity, p.mixture);
  d["threads"] = p.threads;
  d["tiles"] = p.tiles;
  d["ranks"] = p.ranks;
  d["min_delay_ms"] = p.min_delay_ms;
  d["max_delay_ms"] = p.max_delay_ms;
  nb::list memory;
  for (const PlannedMemory& m : p.memory) memory.append(nb::make_tuple(m.room, m.bytes, m.what));
  d["memory"] = memory;
  d["memory_bytes"] = p.memory_bytes;
  d["synapse_bytes"] = p.synapse_bytes;
  d["available_bytes"] = p.available_bytes;
  d["construction_seconds"] = p.construction_seconds;
  d["real_time_factor"] = p.real_time_factor;
  d["obstacles"] = p.obstacles;
  d["remedies"] = p.remedies;
  d["notes"] = p.notes;
  return d;
}

nb::dict report_of(const RunningSimulation& s) {
  const SimulationReport r = s.simulation.report();
  nb::dict d;
  d["model_time_ms"] = r.model_time_ms;
  d["construction_seconds"] = r.construction_seconds;
  d["run_seconds"] = r.run_seconds;
  nb::dict phases;
  phases["deliver"] = r.phases.deliver;
  phases["update"] = r.phases.update;
  phases["wait"] = r.phases.wait;
  phases["exchange"] = r.phases.exchange;
  phases["record"] = r.phases.record;
  d["phases"] = phases;
  d["neurons"] = r.counts.neurons;
  d["synapses"] = r.counts.synapses;
  d["spikes"] = r.counts.spikes;
  d["synaptic_events"] = r.counts.synaptic_events;
  d["digest"] = digest_text(r.digest);
  d["synapse_bytes"] = r.synapse_bytes;
  d["planned_bytes"] = r.planned_bytes;
  d["connectivity"] = to_string(r.connectivity, r.mixture);
  if (r.mixture.is_mixed()) {
    d["stored_synapses"] = r.mixture.stored_synapses;
    d["drawn_synapses"] = r.mixture.drawn_synapses;
  }
  d["device"] = r.device;
  d["threads"] = r.threads;
  d["tiles"] = r.tiles;
  d["ranks"] = r.ranks.ranks;
  nb::dict populations;
  for (const PopulationReport& p : r.populations) populations[nb::str(p.name.c_str())] = p.spikes;
  d["population_spikes"] = populations;
  nb::list rewiring;
  for (const RewiringReport& w : r.rewiring) {
    nb::dict e;
    e["projection"] = w.projection;
    e["rule"] = w.rule;
    e["synapses"] = w.synapses;
    e["formed"] = w.formed;
    e["eliminated"] = w.eliminated;
    e["existing"] = w.existing;
    e["invalid"] = w.invalid;
    e["at_limit"] = w.at_limit;
    rewiring.append(e);
  }
  d["rewiring"] = rewiring;
  nb::list rounded;
  for (const RoundedWeights& w : r.rounded_weights) rounded.append(nb::make_tuple(w.name, w.error));
  d["rounded_weights"] = rounded;
  return d;
}

nb::ndarray<nb::numpy, const std::uint8_t, nb::ndim<1>> synapses_of(RunningSimulation& s, const std::string& name) {
  const Busy busy(s.busy, "simulation");
  auto list = std::make_shared<std::vector<Synapse>>();
  {
    const nb::gil_scoped_release unlocked;
    const auto found = std::find_if(s.network.projections.begin(), s.network.projections.end(),
                                    [&name](const Projection& p) { return p.name == name; });
    const bool plastic = found != s.network.projections.end() && found->plasticity;
    *list = plastic ? s.simulation.synapses(name)
                    : list_synapses(s.network, s.models, s.options.seed, name);
  }
  return bytes_of(list);
}

}  // namespace

void bind_simulation(nb::module_& m) {
  nb::class_<SimulationOptions>(m, "SimulationOptions")
      .def("__init__", &set_options, nb::kw_only(), nb::arg("seed"), nb::arg("threads"), nb::arg("tiles"),
           nb::arg("group_size"), nb::arg("connectivity"), nb::arg("precision"), nb::arg("device"),
           nb::arg("count_table"), nb::arg("memory_limit"), nb::arg("ranks"), nb::arg("communicator").none(), nb::arg("exchange"),
           nb::arg("rank_placement"));
  m.def("plan", &plan_of);
  nb::class_<RunningSimulation>(m, "Simulation")
      .def(nb::init<const PythonNetwork&, const SimulationOptions&, const std::vector<std::uint32_t>&>(),
           nb::call_guard<nb::gil_scoped_release>())
      .def("run", &run, nb::arg("time_ms"), nb::arg("progress").none())
      .def("step", [](const RunningSimulation& s) { return s.simulation.step(); })
      .def("report", [](RunningSimulation& s) {
        const Busy busy(s.busy, "simulation");
        return report_of(s);
      })
      .def("state", [](RunningSimulation& s, const std::string& population, const std::string& variable) {
        const Busy busy(s.busy, "simulation");
        return array_of(s.simulation.state(population, variable));
      })
      .def("spikes", [](RunningSimulation& s, std::size_t population) {
        const Busy busy(s.busy, "simulation");
        return bytes_of(s.recording.spikes.at(population));
      })
      .def("samples", [](RunningSimulation& s, std::size_t recorder) {
        const Busy busy(s.busy, "simulation");
        return nb::make_tuple(bytes_of(s.recording.sample_times.at(recorder)), bytes_of(s.recording.samples.at(recorder)));
      })
      .def("clear", [](RunningSimulation& s) {
        const Busy busy(s.busy, "simulation");
        s.recording.clear();
      })
      .def("synapses", &synapses_of)
      .def("save", [](RunningSimulation& s, const std::filesystem::path& file) {
        const Busy busy(s.busy, "simulation");
        const nb::gil_scoped_release unlocked;
        s.simulation.save_checkpoint(file);
      })
      .def("restore", [](RunningSimulation& s, const std::filesystem::path& file) {
        const Busy busy(s.busy, "simulation");
        const nb::gil_scoped_release unlocked;
        s.simulation.load_checkpoint(file);
      });
  m.def("mpi_name", &mpi_name);
  m.def("devices", [] {
    std::string why;
    nb::list list;
    for (const DeviceInfo& d : list_devices(why)) list.append(nb::make_tuple(d.name, d.multiprocessors, d.memory_bytes));
    return nb::make_tuple(list, why);
  });
}

}  // namespace tessera::python
