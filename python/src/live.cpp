// What can be changed between two runs of a simulation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "running_simulation.hpp"

namespace tessera::python {
namespace {

std::span<const double> span_of(const Array<double>& values) { return {values.data(), values.shape(0)}; }

}  // namespace

void bind_live(nb::module_& m) {
  m.def("set_state", [](RunningSimulation& s, const std::string& population, const std::string& variable, const Array<double>& values) {
    const Busy busy(s.busy, "simulation");
    s.simulation.set_state(population, variable, span_of(values));
  });
  m.def("set_weights", [](RunningSimulation& s, const std::string& projection, const Array<double>& weights) {
    const Busy busy(s.busy, "simulation");
    const nb::gil_scoped_release unlocked;
    s.simulation.set_weights(projection, span_of(weights));
  });
  m.def("set_stimulus_rate", [](RunningSimulation& s, const std::string& stimulus, double rate_hz) {
    const Busy busy(s.busy, "simulation");
    s.simulation.set_stimulus_rate(stimulus, rate_hz);
    for (Stimulus& of : s.network.stimuli) {
      if (of.name == stimulus) of.rate_hz = rate_hz;
    }
  });
  m.def("set_source_rate", [](RunningSimulation& s, const std::string& population, double rate_hz) {
    const Busy busy(s.busy, "simulation");
    s.simulation.set_source_rate(population, rate_hz);
    s.network.populations[s.network.index_of(population)].rate_hz = rate_hz;
  });
  m.def("set_amplitude", [](RunningSimulation& s, const std::string& stimulus, const Array<double>& amplitudes) {
    const Busy busy(s.busy, "simulation");
    s.simulation.set_amplitude(stimulus, span_of(amplitudes));
    for (Stimulus& of : s.network.stimuli) {
      if (of.name != stimulus) continue;
      of.values.clear();
      if (amplitudes.shape(0) == 1) {
        of.amplitude_pA = amplitudes.data()[0];
      } else {
        of.values.assign(amplitudes.data(), amplitudes.data() + amplitudes.shape(0));
      }
    }
  });
  m.def("network_of", [](RunningSimulation& s) {
    const Busy busy(s.busy, "simulation");
    return s.network;
  });
}

}  // namespace tessera::python
