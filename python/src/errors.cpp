// The library's errors become those of tessera.errors, with their fields.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "bindings.hpp"
#include "tessera/communicator.hpp"
#include "tessera/network.hpp"
#include "tessera/training.hpp"

namespace tessera::python {
namespace {

void raise(const char* name, const nb::object& arguments) {
  const nb::object type = nb::module_::import_("tessera.errors").attr(name);
  const nb::object error = type(*nb::tuple(arguments));
  PyErr_SetObject(type.ptr(), error.ptr());
}

nb::list problems_of(const InputError& error) {
  nb::list problems;
  for (const Problem& p : error.problems()) {
    problems.append(nb::make_tuple(p.message, p.where.file, p.where.line, p.where.column, p.where.key_path));
  }
  return problems;
}

void translate(const std::exception_ptr& exception, void*) {
  try {
    std::rethrow_exception(exception);
  } catch (const TooLargeError& error) {
    raise("TooLargeError", nb::make_tuple(problems_of(error), error.what()));
  } catch (const InputError& error) {
    raise("InputError", nb::make_tuple(problems_of(error), error.what()));
  } catch (const ActivityError& error) {
    raise("ActivityError", nb::make_tuple(error.what(), error.population, error.neuron, error.step));
  } catch (const training::DivergedError& error) {
    raise("DivergedError", nb::make_tuple(error.what(), error.layer));
  } catch (const CommunicationError& error) {
    raise("CommunicationError", nb::make_tuple(error.what()));
  } catch (const RunError& error) {
    raise("RunError", nb::make_tuple(error.what()));
  }
}

}  // namespace

void bind_errors(nb::module_&) { nb::register_exception_translator(translate); }

}  // namespace tessera::python
