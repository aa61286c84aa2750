#include "bindings.hpp"
namespace tessera::python { void bind_training(nb::module_&) {} }
