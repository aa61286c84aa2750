// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/models_library.hpp"

#include <dlfcn.h>

#include <string_view>
#include <system_error>
#include <utility>

#include "tessera/errors.hpp"
#include "version.hpp"

namespace tessera {

static_assert(std::string_view(models_build().version.data()) == kVersion, "models_build() has the version of the project");

namespace {

/// Keeps what a library has until all of it is known to be good.
class Kept final : public ModelsSink {
 public:
  explicit Kept(NeuronCatalogue catalogue) : models(std::move(catalogue)) {}
  void add(NeuronModel model) override { keep(std::move(model)); }
  void add(PlasticityModel rule) override { keep(std::move(rule)); }
  void add(StructuralModel rule) override { keep(std::move(rule)); }

  NeuronCatalogue models;
  std::vector<std::string> names;

 private:
  template <class Model>
  void keep(Model model) {
    std::string name = model.name;
    models.add(std::move(model));
    names.push_back(std::move(name));
  }
};

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw InputError("The library of models '" + file.string() + "' cannot be loaded: " + why);
}

std::string text_of(const ModelsBuild& build) {
  std::string text(build.version.data(), build.version.size());
  return text.substr(0, text.find('\0'));
}

}  // namespace

std::vector<std::string> load_models(const std::filesystem::path& file, NeuronCatalogue& models) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(file, none)) refuse(file, "there is no such file.");
  // A path with a slash is that file, and no other of this name that a search would find.
  void* const library = dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    refuse(file, why != nullptr ? std::string(why) + "." : "the system does not say why.");
  }
  const auto build = reinterpret_cast<const ModelsBuild* (*)()>(dlsym(library, "tessera_models_build"));
  const auto add = reinterpret_cast<void (*)(ModelsSink&)>(dlsym(library, "tessera_models_add"));
  if (build == nullptr || add == nullptr) refuse(file, "it has no TESSERA_MODELS_LIBRARY (tessera/models_library.hpp).");
  if (const ModelsBuild theirs = *build(), ours = models_build(); theirs != ours) {
    refuse(file, text_of(theirs) != text_of(ours)
                     ? "it was built for tessera " + text_of(theirs) + ", and this is " + text_of(ours) + "; build it again."
                     : "it was built with other headers of tessera " + text_of(ours) + ", or by another compiler; build it again.");
  }
  Kept kept(models);
  try {
    add(kept);
  } catch (const std::exception& error) {
    refuse(file, error.what());
  }
  models = std::move(kept.models);
  return kept.names;
}

}  // namespace tessera
