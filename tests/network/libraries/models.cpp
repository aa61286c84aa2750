// A library of models as somebody else's, for tests/network/models_library_test.cpp. With OTHER_VERSION it says that it was
// built for another version of the library; with TAKEN_NAME its second model has a name that there is already.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/models_library.hpp"

namespace {

tessera::NeuronModel named(const char* name) {
  tessera::NeuronModel model;
  model.name = name;
  model.weight_unit = "pA";
  return model;
}

void add(tessera::ModelsSink& models) {
  models.add(named("from_a_library"));
  tessera::StructuralModel rule;
#ifdef TAKEN_NAME
  rule.name = "bamford";
#else
  rule.name = "rule_from_a_library";
#endif
  models.add(std::move(rule));
}

}  // namespace

#ifdef OTHER_VERSION
extern "C" __attribute__((visibility("default"))) const tessera::ModelsBuild* tessera_models_build() {
  static tessera::ModelsBuild build = tessera::models_build();
  build.version[0] = '9';
  return &build;
}
extern "C" __attribute__((visibility("default"))) void tessera_models_add(tessera::ModelsSink& models) { add(models); }
#else
TESSERA_MODELS_LIBRARY(add)
#endif
