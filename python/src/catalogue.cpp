// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"

#include <limits>
#include <mutex>

#include "tessera/model_text.hpp"
#include "tessera/models_library.hpp"
#include "tessera/plasticity_model.hpp"

namespace tessera::python {
namespace {

/// What load_models() has added, for all networks of this process.
struct Loaded {
  std::mutex mutex;
  NeuronCatalogue models = NeuronCatalogue::builtin();
};
Loaded& loaded() {
  static Loaded all;
  return all;
}

nb::list parameters_of(const std::vector<ParameterInfo>& parameters) {
  nb::list list;
  for (const ParameterInfo& p : parameters) {
    nb::dict d;
    d["name"] = p.name;
    d["unit"] = p.unit;
    d["default"] = p.default_value;
    d["minimum"] = p.minimum;
    d["maximum"] = p.maximum;
    d["about"] = p.description;
    list.append(d);
  }
  return list;
}

nb::dict describe_model(const std::string& name) {
  const NeuronCatalogue models = catalogue();
  const NeuronModel* model = models.find(name);
  if (model == nullptr) {
    throw InputError("There is no neuron model named '" + name + "'." + did_you_mean(name, models.names()));
  }
  nb::dict d;
  d["name"] = model->name;
  d["summary"] = model->summary;
  d["weight_unit"] = model->weight_unit;
  d["parameters"] = parameters_of(model->parameters);
  nb::list states;
  for (const StateInfo& s : model->states) states.append(nb::make_tuple(s.name, s.unit, s.description));
  d["states"] = states;
  d["document"] = document(*model);
  return d;
}

nb::dict describe_rules() {
  const NeuronCatalogue models = catalogue();
  nb::dict plasticity, structural;
  for (const std::string& name : models.rule_names()) {
    plasticity[nb::str(name.c_str())] = parameters_of(models.find_rule(name)->parameters);
  }
  for (const std::string& name : models.structural_rule_names()) {
    const StructuralModel& rule = *models.find_structural_rule(name);
    nb::list words;
    for (const WordInfo& word : rule.words) words.append(word.name);
    structural[nb::str(name.c_str())] = nb::make_tuple(parameters_of(rule.parameters), words);
  }
  nb::dict all;
  all["plasticity"] = plasticity;
  all["structural"] = structural;
  return all;
}

}  // namespace

NeuronCatalogue catalogue() {
  const std::lock_guard lock(loaded().mutex);
  return loaded().models;
}

void bind_catalogue(nb::module_& m) {
  m.def("load_models", [](const std::filesystem::path& file) {
    const std::lock_guard lock(loaded().mutex);
    return load_models(file, loaded().models);
  });
  m.def("model_names", [] { return catalogue().names(); });
  m.def("describe_model", &describe_model);
  m.def("describe_rules", &describe_rules);
}

}  // namespace tessera::python
