// Results: those of a simulation in memory and those of a folder; their statistics and pictures.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "bindings.hpp"
#include "tessera/analysis.hpp"
#include "tessera/plot.hpp"
#include "tessera/result.hpp"

namespace tessera::python {
namespace {

void add_population(Result& result, const std::string& name, std::uint32_t size, bool inhibitory, std::uint32_t recorded,
                    const Array<double>& times_ms, const Array<std::uint32_t>& neurons) {
  if (times_ms.shape(0) != neurons.shape(0)) throw InputError("Spike times and neurons differ in number.");
  ResultPopulation population;
  population.name = name;
  population.size = size;
  population.inhibitory = inhibitory;
  population.first_recorded = recorded;
  population.spikes.times_ms.assign(times_ms.data(), times_ms.data() + times_ms.shape(0));
  population.spikes.neurons.assign(neurons.data(), neurons.data() + neurons.shape(0));
  for (const std::uint32_t neuron : population.spikes.neurons) {
    if (neuron >= size) throw InputError("Population '" + name + "' has no neuron " + std::to_string(neuron) + ".");
  }
  result.populations.push_back(std::move(population));
  result.has_spikes = true;
}

StatisticsOptions window_of(const Result& result, std::optional<double> start_ms, std::optional<double> end_ms) {
  StatisticsOptions options = default_window(result);
  if (start_ms) options.start_ms = *start_ms;
  if (end_ms) options.end_ms = *end_ms;
  return options;
}

nb::list statistics_of(const Result& result, std::optional<double> start_ms, std::optional<double> end_ms,
                       std::size_t correlation_neurons) {
  StatisticsOptions options = window_of(result, start_ms, end_ms);
  options.correlation_neurons = correlation_neurons;
  std::vector<PopulationStatistics> all;
  {
    const nb::gil_scoped_release unlocked;
    all = result_statistics(result, options);
  }
  nb::list list;
  for (PopulationStatistics& s : all) {
    nb::dict d;
    d["name"] = s.name;
    d["mean_rate_hz"] = s.mean_rate_hz;
    d["mean_cv"] = s.mean_cv;
    d["mean_correlation"] = s.mean_correlation;
    d["rates_hz"] = array_of(std::move(s.rates_hz));
    d["cvs"] = array_of(std::move(s.cvs));
    d["correlations"] = array_of(std::move(s.correlations));
    list.append(d);
  }
  return list;
}

nb::list populations_of(const Result& result) {
  nb::list list;
  for (const ResultPopulation& p : result.populations) list.append(nb::make_tuple(p.name, p.size, p.inhibitory));
  return list;
}

nb::list traces_of(const Result& result) {
  nb::list list;
  for (const Trace& t : result.traces) {
    list.append(nb::make_tuple(t.population, t.variable, array_of(std::vector<double>(t.times_ms)),
                               array_of(std::vector<double>(t.values), {t.times_ms.size(), t.neurons})));
  }
  return list;
}

}  // namespace

void bind_results(nb::module_& m) {
  nb::class_<Result>(m, "Result")
      .def("__init__", [](Result* r, std::string model, double dt_ms, double start_ms, double end_ms, double discard_ms) {
        new (r) Result();
        r->model = std::move(model);
        r->dt_ms = dt_ms;
        r->start_ms = start_ms;
        r->model_time_ms = end_ms;
        r->discard_ms = discard_ms;
      })
      .def("add_population", &add_population)
      .def_ro("model", &Result::model)
      .def_ro("seed", &Result::seed)
      .def_ro("dt_ms", &Result::dt_ms)
      .def_ro("start_ms", &Result::start_ms)
      .def_ro("end_ms", &Result::model_time_ms)
      .def_ro("discard_ms", &Result::discard_ms)
      .def_ro("digest", &Result::digest)
      .def_ro("has_spikes", &Result::has_spikes)
      .def("populations", &populations_of)
      .def("spikes", [](const Result& r, std::size_t i) {
        const SpikeList& list = r.populations.at(i).spikes;
        return nb::make_tuple(array_of(std::vector<double>(list.times_ms)), array_of(std::vector<std::uint32_t>(list.neurons)));
      })
      .def("traces", &traces_of)
      .def("statistics", &statistics_of, nb::arg("start_ms").none(), nb::arg("end_ms").none(), nb::arg("correlation_neurons"))
      .def("raster_svg", [](const Result& r, double start_ms, double duration_ms) {
        RasterOptions options;
        options.start_ms = start_ms;
        options.duration_ms = duration_ms;
        return raster_svg(r, options);
      })
      .def("rates_svg", [](const Result& r) { return rates_svg(r, result_statistics(r)); });
  m.def("load_result", [](const std::filesystem::path& folder) { return load_result(folder); },
        nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace tessera::python
