// What the files of this room share. One file binds one room of the library; checks of arguments, units and
// documentation for users are in the Python layer (python/tessera).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace tessera::python {

namespace nb = nanobind;

void bind_errors(nb::module_& m);
void bind_catalogue(nb::module_& m);
void bind_network(nb::module_& m);
void bind_simulation(nb::module_& m);
void bind_live(nb::module_& m);
void bind_structural(nb::module_& m);
void bind_results(nb::module_& m);
void bind_training(nb::module_& m);
void bind_formats(nb::module_& m);
void bind_training_checkpoint(nb::module_& m);
void bind_batches(nb::module_& m);

/// What a recording holds: the memory of NumPy arrays that look into it stays alive with them.
template <class T>
using Shared = std::shared_ptr<std::vector<T>>;

template <class Item>
using Array = nb::ndarray<const Item, nb::c_contig, nb::ndim<1>, nb::device::cpu>;

/// Shared items as a read-only array of bytes, which NumPy sees as records; nothing is copied.
template <class T>
nb::ndarray<nb::numpy, const std::uint8_t, nb::ndim<1>> bytes_of(const Shared<T>& items) {
  auto* keeper = new Shared<T>(items);
  nb::capsule owner(keeper, [](void* p) noexcept { delete static_cast<Shared<T>*>(p); });
  return {items->data(), {items->size() * sizeof(T)}, owner};
}

/// A vector that becomes the memory of a NumPy array.
template <class T>
nb::ndarray<nb::numpy, T> array_of(std::vector<T>&& items, std::vector<std::size_t> shape = {}) {
  if (shape.empty()) shape = {items.size()};
  auto* keeper = new std::vector<T>(std::move(items));
  nb::capsule owner(keeper, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return {keeper->data(), shape.size(), shape.data(), owner};
}

/// Held while an object works without the interpreter's lock: a second thread gets a sentence, not a data race.
class Busy {
 public:
  Busy(std::atomic<bool>& flag, const char* what) : flag_(flag) {
    if (flag.exchange(true)) throw std::runtime_error(std::string("This ") + what + " is at work in another thread or callback.");
  }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;

 private:
  std::atomic<bool>& flag_;
};

/// Python's errors and Ctrl-C during a call that runs without the interpreter's lock: the call is asked to stop, and
/// the error goes on when it has.
class PendingError {
 public:
  /// Calls back into Python. False when the callback has failed, now or before.
  template <class Callback>
  bool call(const Callback& callback) {
    if (error_) return false;
    nb::gil_scoped_acquire lock;
    try {
      callback();
    } catch (nb::python_error& error) {
      error_ = std::make_unique<nb::python_error>(std::move(error));
    }
    return !error_;
  }
  /// Whether to stop: an error, or a signal such as Ctrl-C.
  bool stop() {
    return !call([] {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
    });
  }
  /// With the lock held again.
  void raise() {
    if (error_) throw nb::python_error(std::move(*error_));
  }

 private:
  std::unique_ptr<nb::python_error> error_;
};

}  // namespace tessera::python
