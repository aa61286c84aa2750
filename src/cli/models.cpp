// tessera models: the neuron models and their documentation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "tessera/errors.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera::cli {

int models(const ModelsArguments& arguments) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  if (arguments.name) {
    const NeuronModel* const model = catalogue.find(*arguments.name);
    if (model == nullptr) {
      throw InputError(fmt::format("there is no neuron model '{}'.{} 'tessera models' lists them.",
                                   *arguments.name,
                                   did_you_mean(*arguments.name, catalogue.names())));
    }
    fmt::print("{}", document(*model));
    return kOk;
  }
  Table table({"model", "weights", "summary"}, 3);
  for (const std::string& name : catalogue.names()) {
    const NeuronModel& model = *catalogue.find(name);
    table.row({name, model.weight_unit, model.summary});
  }
  fmt::print("{}\n'tessera models NAME' shows equations, parameters and sources.\n", table.text());
  return kOk;
}

}  // namespace tessera::cli
