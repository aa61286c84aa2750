// Names of the choices of training, as in model files, reports and messages.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <string>

#include "tessera/training.hpp"

namespace tessera::training {

std::string to_string(NeuronKind kind) {
  switch (kind) {
    case NeuronKind::lif:
      return "lif";
    case NeuronKind::adaptive_lif:
      return "adaptive_lif";
    case NeuronKind::synaptic_lif:
      return "synaptic_lif";
    case NeuronKind::readout:
      break;
  }
  return "readout";
}

std::string to_string(Surrogate kind) {
  switch (kind) {
    case Surrogate::superspike:
      return "superspike";
    case Surrogate::arctan:
      return "arctan";
    case Surrogate::sigmoid:
      return "sigmoid";
    case Surrogate::triangular:
      return "triangular";
    case Surrogate::piecewise_linear:
      break;
  }
  return "piecewise_linear";
}

std::string to_string(LossKind kind) {
  switch (kind) {
    case LossKind::cross_entropy:
      return "cross_entropy";
    case LossKind::cross_entropy_per_step:
      return "cross_entropy_per_step";
    case LossKind::spike_count:
      return "spike_count";
    case LossKind::mean_squared_error:
      return "mean_squared_error";
    case LossKind::squared_error_per_step:
      break;
  }
  return "squared_error_per_step";
}

std::string to_string(Reduction kind) {
  switch (kind) {
    case Reduction::sum:
      return "sum";
    case Reduction::mean:
      return "mean";
    case Reduction::last:
      return "last";
    case Reduction::max:
      break;
  }
  return "max";
}

std::string to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::automatic:
      return "auto";
    case Strategy::sparse:
      return "sparse";
    case Strategy::dense:
      return "dense";
    case Strategy::reference:
      break;
  }
  return "reference";
}

std::string to_string(EpropConvention convention) {
  return convention == EpropConvention::mlgenn ? "mlgenn" : "bellec2020";
}
std::string to_string(EpropFeedback feedback) { return feedback == EpropFeedback::random ? "random" : "symmetric"; }

std::string to_string(Parallel parallel) {
  return parallel == Parallel::automatic ? "auto" : parallel == Parallel::data ? "data" : "model";
}

}  // namespace tessera::training
