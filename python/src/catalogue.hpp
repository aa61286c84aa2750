// The models and rules that a network of Python may name: those of the library, those of libraries that were loaded, and
// structural rules that are objects of Python.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "bindings.hpp"
#include "tessera/network.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera::python {

/// A structural rule in Python. The object belongs to the networks that name it (tessera/network.py); here is a weak reference,
/// so that the interpreter sees cycles through it.
struct PythonRule {
  nb::object weak;
  NeuronSight sources, targets;
  ~PythonRule();
};

/// A network and the rules of Python that it names.
struct PythonNetwork : Network {
  PythonNetwork() = default;
  explicit PythonNetwork(Network network) : Network(std::move(network)) {}
  std::map<std::string, std::shared_ptr<const PythonRule>> rules;
};

/// The first error of the rules of one simulation. They act on its worker threads; the rest of the run they do nothing.
class RuleFailures {
 public:
  [[nodiscard]] bool any() const { return failed_; }
  /// With the interpreter's lock held.
  void keep(nb::python_error&& error);
  void raise();

 private:
  std::atomic<bool> failed_ = false;
  std::unique_ptr<nb::python_error> error_;
};

/// Of the library and of the libraries that were loaded.
[[nodiscard]] NeuronCatalogue catalogue();
/// With the rules of a network. `failures`: of the simulation that makes them act; null where none does.
[[nodiscard]] NeuronCatalogue catalogue_of(const PythonNetwork& network, const std::shared_ptr<RuleFailures>& failures = nullptr);

}  // namespace tessera::python
