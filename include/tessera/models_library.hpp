// Neuron models and rules of your own in a shared library, loaded by its path while a program runs.
//
// The library says once what it has:
//   TESSERA_MODELS_LIBRARY([](tessera::ModelsSink& models) { models.add(my_neuron::model()); })
// and load_models("./libmy.so", catalogue) takes it in. examples/custom_neuron builds one; docs/neuron-models.md.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tessera/neuron_model.hpp"
#include "tessera/plasticity_model.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera {

/// Where a library puts its models.
class ModelsSink {
 public:
  virtual ~ModelsSink() = default;
  virtual void add(NeuronModel model) = 0;
  virtual void add(PlasticityModel rule) = 0;
  virtual void add(StructuralModel rule) = 0;
};

/// What a library and who loads it must have in common: they give each other objects in memory.
struct ModelsBuild {
  std::array<char, 16> version{};
  std::array<std::uint32_t, 9> sizes{};  ///< of what they give each other, and what compilers differ in
  friend bool operator==(const ModelsBuild&, const ModelsBuild&) = default;
};

/// Of these headers and this compiler.
[[nodiscard]] constexpr ModelsBuild models_build() {
  ModelsBuild build;
  constexpr char kVersion[] = "0.1.0";
  for (std::size_t i = 0; i + 1 < sizeof kVersion; ++i) build.version[i] = kVersion[i];
  build.sizes = {sizeof(NeuronModel),       sizeof(NeuronVariant),       sizeof(UpdateArgs<float>), sizeof(PlasticityModel), sizeof(PlasticityVariant),
                 sizeof(StructuralModel), kNeuronPadding, __GXX_ABI_VERSION, sizeof(std::string)};
  return build;
}

/// Adds the neuron models and rules of a shared library to a catalogue, and returns their names. The library stays loaded
/// until the program ends. Throws InputError, and adds nothing, for a file that is missing or no library of models, that was
/// built for another version, or has a name that is in the catalogue.
std::vector<std::string> load_models(const std::filesystem::path& file, NeuronCatalogue& models);

}  // namespace tessera

#define TESSERA_MODELS_LIBRARY(...)                                                                       \
  extern "C" __attribute__((visibility("default"))) const tessera::ModelsBuild* tessera_models_build() {  \
    static constexpr tessera::ModelsBuild build = tessera::models_build();                                \
    return &build;                                                                                        \
  }                                                                                                       \
  extern "C" __attribute__((visibility("default"))) void tessera_models_add(tessera::ModelsSink& models) { \
    (__VA_ARGS__)(models);                                                                                \
  }
