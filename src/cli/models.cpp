// tessera models: the neuron models and rules of plasticity, and their documentation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/text.hpp"
#include "tessera/errors.hpp"
#include "tessera/neuron_model.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera::cli {
namespace {

int show_one(const std::string& name, const NeuronCatalogue& catalogue) {
  if (const NeuronModel* const model = catalogue.find(name)) {
    fmt::print("{}", document(*model));
    return kOk;
  }
  if (const PlasticityModel* const rule = catalogue.find_rule(name)) {
    fmt::print("{}", document(*rule));
    return kOk;
  }
  if (const StructuralModel* const rule = catalogue.find_structural_rule(name)) {
    fmt::print("{}", document(*rule));
    return kOk;
  }
  std::vector<std::string> names = catalogue.names();
  for (const auto& rules : {catalogue.rule_names(), catalogue.structural_rule_names()}) names.insert(names.end(), rules.begin(), rules.end());
  throw InputError(fmt::format("there is no neuron model or rule of plasticity '{}'.{} 'tessera models' lists them.",
                               name, did_you_mean(name, names)));
}

}  // namespace

int models(const ModelsArguments& arguments) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  if (arguments.name) return show_one(*arguments.name, catalogue);
  Table table({"model", "weights", "summary"}, 3);
  for (const std::string& name : catalogue.names()) {
    const NeuronModel& model = *catalogue.find(name);
    table.row({name, model.weight_unit, model.summary});
  }
  Table rules({"rule of plasticity", "summary"}, 2);
  for (const std::string& name : catalogue.rule_names()) {
    rules.row({name, catalogue.find_rule(name)->summary});
  }
  Table structural({"structural rule", "summary"}, 2);
  for (const std::string& name : catalogue.structural_rule_names()) {
    structural.row({name, catalogue.find_structural_rule(name)->summary});
  }
  fmt::print("{}\n{}\n{}\n'tessera models NAME' shows equations, parameters and sources.\n", table.text(),
             rules.text(), structural.text());
  return kOk;
}

}  // namespace tessera::cli
