// A program outside of the source tree: lists the models of the installed library and advances a
// neuron.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <tessera/neuron_model.hpp>
#include <tessera/simd_control.hpp>

int main() {
  const tessera::NeuronCatalogue catalogue = tessera::NeuronCatalogue::builtin();
  for (const std::string& name : catalogue.names()) std::cout << name << '\n';
  const tessera::NeuronModel* model = catalogue.find("iaf_psc_delta");
  if (model == nullptr) return 1;
  tessera::ParameterValues values;
  for (const auto& parameter : model->parameters)
    values.set(parameter.name, parameter.default_value);
  const tessera::NeuronVariant variant = model->prepare(values, 0.1);
  double v = 0.0;
  const double weight_mV = 20.0;  // from rest to above the threshold, 15 mV away
  const bool spiked = variant.reference_step(&v, variant.constants.data(), &weight_mV, 0.0, false);
  std::cout << "instruction set: " << tessera::simd_target() << '\n';
  return spiked ? 0 : 1;
}
