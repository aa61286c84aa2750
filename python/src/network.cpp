// Descriptions of networks, and model files. Descriptions are values here: what Python gets is a
// copy, so no object looks into a list that grows.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "catalogue.hpp"
#include "tessera/model_file.hpp"
#include "tessera/model_text.hpp"
#include "tessera/network.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/simulation.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera::python {
namespace {

template <class Enum>
Enum named(const char* what, const std::string& word, std::initializer_list<std::pair<const char*, Enum>> words) {
  std::vector<std::string> names;
  for (const auto& [name, value] : words) {
    if (word == name) return value;
    names.emplace_back(name);
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  throw InputError(std::string("There is no ") + what + " '" + word + "'; choose from " + all + "." +
                   did_you_mean(word, names));
}

using RuleKind = ConnectivityRule::Kind;
RuleKind rule_named(const std::string& word) {
  return named<RuleKind>("connectivity rule", word,
                         {{"one_to_one", RuleKind::one_to_one},
                          {"all_to_all", RuleKind::all_to_all},
                          {"fixed_total_number", RuleKind::fixed_total_number},
                          {"fixed_indegree", RuleKind::fixed_indegree},
                          {"fixed_outdegree", RuleKind::fixed_outdegree},
                          {"pairwise_bernoulli", RuleKind::pairwise_bernoulli},
                          {"gaussian_2d", RuleKind::gaussian_2d},
                          {"explicit_list", RuleKind::explicit_list}});
}

constexpr const char* kPopulationKinds[] = {"neurons", "poisson", "spike_train"};
constexpr const char* kStimulusKinds[] = {"current", "poisson"};

void set_train(Population& p, const Array<double>& times_ms, const Array<std::uint32_t>& neurons) {
  if (times_ms.shape(0) != neurons.shape(0)) throw InputError("Spike times and neurons differ in number.");
  p.train.resize(times_ms.shape(0));
  for (std::size_t i = 0; i < p.train.size(); ++i) p.train[i] = {times_ms.data()[i], neurons.data()[i]};
}

void set_list(ConnectivityRule& rule, const Array<std::uint32_t>& sources, const Array<std::uint32_t>& targets,
              const Array<double>& weights, const Array<double>& delays_ms) {
  const std::size_t count = sources.shape(0);
  if (targets.shape(0) != count || weights.shape(0) != count || delays_ms.shape(0) != count) {
    throw InputError("Sources, targets, weights and delays of an explicit list differ in number.");
  }
  rule.list.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    rule.list[i] = {sources.data()[i], targets.data()[i], weights.data()[i], delays_ms.data()[i]};
  }
}

void bind_populations(nb::module_& m) {
  nb::class_<SourceLocation>(m, "SourceLocation")
      .def("__init__", [](SourceLocation* where, std::string file, int line, std::string key) {
        new (where) SourceLocation{std::move(file), line, 0, std::move(key)};
      });
  nb::class_<Distribution>(m, "Distribution")
      .def(nb::init<>())
      .def_prop_rw("kind", [](const Distribution& d) { return to_string(d.kind); },
                   [](Distribution& d, const std::string& word) {
                     using Kind = Distribution::Kind;
                     d.kind = named<Kind>("distribution", word,
                                          {{"constant", Kind::constant}, {"uniform", Kind::uniform}, {"normal", Kind::normal},
                                           {"lognormal", Kind::lognormal}, {"exponential", Kind::exponential}});
                   })
      .def_rw("a", &Distribution::a)
      .def_rw("b", &Distribution::b)
      .def_rw("low", &Distribution::low)
      .def_rw("high", &Distribution::high)
      .def_rw("mirrored", &Distribution::mirrored)
      .def("mean", &Distribution::mean)
      .def("problem", &Distribution::problem);
  nb::class_<ActivityBump>(m, "ActivityBump")
      .def(nb::init<>())
      .def_rw("peak_hz", &ActivityBump::peak_hz)
      .def_rw("sigma", &ActivityBump::sigma)
      .def_rw("period_ms", &ActivityBump::period_ms)
      .def_rw("block", &ActivityBump::block)
      .def_rw("centres", &ActivityBump::centres);
  nb::class_<Population>(m, "Population")
      .def(nb::init<>())
      .def_rw("name", &Population::name)
      .def_prop_rw("kind", [](const Population& p) { return kPopulationKinds[static_cast<int>(p.kind)]; },
                   [](Population& p, const std::string& word) {
                     using Kind = Population::Kind;
                     p.kind = named<Kind>("kind of population", word,
                                          {{"neurons", Kind::neurons}, {"poisson", Kind::poisson_source},
                                           {"spike_train", Kind::spike_train_source}});
                   })
      .def_rw("size", &Population::size)
      .def_rw("model", &Population::model)
      .def_rw("parameters", &Population::parameters)
      .def_rw("grid_columns", &Population::grid_columns)
      .def_rw("extent_mm", &Population::extent_mm)
      .def_rw("periodic", &Population::periodic)
      .def_rw("rate_hz", &Population::rate_hz)
      .def_rw("start_ms", &Population::start_ms)
      .def_rw("duration_ms", &Population::duration_ms)
      .def_rw("interval_ms", &Population::interval_ms)
      .def_rw("bump", &Population::bump)
      .def_rw("mean_rate_hz", &Population::mean_rate_hz)
      .def_rw("inhibitory", &Population::inhibitory)
      .def_rw("where", &Population::where)
      .def("set_initial", [](Population& p, const std::string& state, const Distribution& d) { p.initial[state] = {d, {}}; })
      .def("set_initial_values", [](Population& p, const std::string& state, const Array<double>& values) {
        p.initial[state] = {{}, {values.data(), values.data() + values.shape(0)}};
      })
      .def("set_train", &set_train);
}

void bind_projections(nb::module_& m) {
  nb::class_<Plasticity>(m, "Plasticity")
      .def(nb::init<>())
      .def_rw("rule", &Plasticity::rule)
      .def_rw("parameters", &Plasticity::parameters)
      .def_rw("axonal_delay_ms", &Plasticity::axonal_delay_ms)
      .def_rw("modulator", &Plasticity::modulator)
      .def_rw("modulator_delay_ms", &Plasticity::modulator_delay_ms);
  nb::class_<StructuralPlasticity>(m, "StructuralPlasticity")
      .def(nb::init<>())
      .def_rw("rule", &StructuralPlasticity::rule)
      .def_rw("parameters", &StructuralPlasticity::parameters)
      .def_rw("interval_ms", &StructuralPlasticity::interval_ms)
      .def_rw("max_indegree", &StructuralPlasticity::max_indegree)
      .def_rw("max_outdegree", &StructuralPlasticity::max_outdegree)
      .def_rw("words", &StructuralPlasticity::words);
  nb::class_<ConnectivityRule>(m, "ConnectivityRule")
      .def(nb::init<>())
      .def_prop_rw("kind", [](const ConnectivityRule& r) { return to_string(r.kind); },
                   [](ConnectivityRule& r, const std::string& word) { r.kind = rule_named(word); })
      .def_rw("number", &ConnectivityRule::number)
      .def_rw("probability", &ConnectivityRule::probability)
      .def_rw("sigma", &ConnectivityRule::sigma)
      .def_rw("autapses", &ConnectivityRule::autapses)
      .def_rw("multapses", &ConnectivityRule::multapses)
      .def("set_list", &set_list);
  nb::class_<Projection>(m, "Projection")
      .def(nb::init<>())
      .def_rw("name", &Projection::name)
      .def_rw("source", &Projection::source)
      .def_rw("target", &Projection::target)
      .def_rw("rule", &Projection::rule)
      .def_rw("weight", &Projection::weight)
      .def_rw("delay_ms", &Projection::delay_ms)
      .def_rw("delay_slope", &Projection::delay_slope)
      .def_rw("plasticity", &Projection::plasticity)
      .def_rw("rewiring", &Projection::rewiring)
      .def_rw("where", &Projection::where);
}

void bind_inputs(nb::module_& m) {
  nb::class_<Stimulus>(m, "Stimulus")
      .def(nb::init<>())
      .def_rw("name", &Stimulus::name)
      .def_prop_rw("kind", [](const Stimulus& s) { return kStimulusKinds[static_cast<int>(s.kind)]; },
                   [](Stimulus& s, const std::string& word) {
                     using Kind = Stimulus::Kind;
                     s.kind = named<Kind>("kind of stimulus", word, {{"current", Kind::current}, {"poisson", Kind::poisson}});
                   })
      .def_rw("target", &Stimulus::target)
      .def_rw("amplitude_pA", &Stimulus::amplitude_pA)
      .def_rw("values", &Stimulus::values)
      .def_rw("start_ms", &Stimulus::start_ms)
      .def_rw("duration_ms", &Stimulus::duration_ms)
      .def_rw("rate_hz", &Stimulus::rate_hz)
      .def_rw("weight", &Stimulus::weight)
      .def_rw("delay_ms", &Stimulus::delay_ms)
      .def_rw("where", &Stimulus::where);
  nb::class_<StateRecorder>(m, "StateRecorder")
      .def(nb::init<>())
      .def_rw("population", &StateRecorder::population)
      .def_rw("variable", &StateRecorder::variable)
      .def_rw("count", &StateRecorder::count)
      .def_rw("interval_ms", &StateRecorder::interval_ms)
      .def_rw("where", &StateRecorder::where);
}

template <class List>
std::vector<std::string> names_of(const List& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) names.push_back(thing.name);
  return names;
}

}  // namespace

void bind_network(nb::module_& m) {
  bind_populations(m);
  bind_projections(m);
  bind_inputs(m);
  nb::class_<PythonNetwork>(m, "Network")
      .def(nb::init<>())
      .def(nb::init<const PythonNetwork&>())
      .def("add_rule", [](PythonNetwork& n, const std::string& name, nb::object weak, std::vector<std::string> source_states,
                          std::vector<std::string> target_states) {
        auto rule = std::make_shared<PythonRule>();
        rule->weak = std::move(weak);
        rule->sources.states = std::move(source_states);
        rule->targets.states = std::move(target_states);
        n.rules[name] = std::move(rule);
      })
      .def_rw("name", &PythonNetwork::name)
      .def_rw("dt_ms", &PythonNetwork::dt_ms)
      .def_rw("time_ms", &PythonNetwork::time_ms)
      .def_rw("discard_ms", &PythonNetwork::discard_ms)
      .def_rw("seed", &PythonNetwork::seed)
      .def_rw("rate_limit_hz", &PythonNetwork::rate_limit_hz)
      .def_ro("parameters", &PythonNetwork::parameters)
      .def_ro("choices", &PythonNetwork::choices)
      .def("add_population", [](PythonNetwork& n, const Population& p) { n.populations.push_back(p); })
      .def("add_projection", [](PythonNetwork& n, const Projection& p) { n.projections.push_back(p); })
      .def("add_stimulus", [](PythonNetwork& n, const Stimulus& s) { n.stimuli.push_back(s); })
      .def("add_recorder", [](PythonNetwork& n, const StateRecorder& r) { n.recorders.push_back(r); })
      .def("add_spike_recorder", [](PythonNetwork& n, const std::string& population, std::uint32_t count,
                                    const SourceLocation& where) { n.spike_recorders.push_back({population, count, where}); })
      .def("recorded_neurons", [](const PythonNetwork& n) { return recorded_neurons(n); })
      .def("population", [](const PythonNetwork& n, std::size_t i) { return n.populations.at(i); })
      .def("projection", [](const PythonNetwork& n, std::size_t i) { return n.projections.at(i); })
      .def("stimulus", [](const PythonNetwork& n, std::size_t i) { return n.stimuli.at(i); })
      .def("recorder", [](const PythonNetwork& n, std::size_t i) { return n.recorders.at(i); })
      .def("replace_population", [](PythonNetwork& n, std::size_t i, const Population& p) { n.populations.at(i) = p; })
      .def("population_names", [](const PythonNetwork& n) { return names_of(n.populations); })
      .def("projection_names", [](const PythonNetwork& n) { return names_of(n.projections); })
      .def("stimulus_names", [](const PythonNetwork& n) { return names_of(n.stimuli); })
      .def("recorder_count", [](const PythonNetwork& n) { return n.recorders.size(); })
      .def("synapses", [](const PythonNetwork& n) {
        const SynapseNumber number = number_of_synapses(n);
        return nb::make_tuple(number.synapses, number.expected);
      })
      .def("require_valid", [](const PythonNetwork& n) {
        const NeuronCatalogue models = catalogue_of(n);
        const nb::gil_scoped_release unlocked;
        require_valid(n, models);
      })
      .def("scale", [](PythonNetwork& n, double neurons, double synapses) {
        scale_network(n, neurons, synapses, catalogue_of(n));
      })
      .def("text", [](const PythonNetwork& n) { return model_text(n); });
  m.def("load_model", [](const std::filesystem::path& path, const std::vector<ParameterOverride>& parameters) {
    return PythonNetwork(load_model_file(path, catalogue(), parameters));
  });
  m.def("parse_model", [](const std::string& text, const std::string& name, const std::filesystem::path& folder,
                          const std::vector<ParameterOverride>& parameters) {
    return PythonNetwork(parse_model(text, name, folder, catalogue(), parameters));
  });
  m.def("quantity", &quantity);
  m.def("did_you_mean", &did_you_mean);
}

}  // namespace tessera::python
