// Files of e-prop cases: weights, inputs and targets, and what several iterations of training must give. They run
// through the float64 recursion of the library.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "train/eprop_reference.hpp"

namespace tessera::test {

/// The problem of a case, with the weights it begins with.
struct EpropCase {
  training::eprop::Rule rule;
  training::eprop::Weights weights;
  training::eprop::Matrix feedback;  ///< bellec2020 only
  training::eprop::Interval interval;
};
[[nodiscard]] EpropCase bellec2020_case(const nlohmann::json& entry);
[[nodiscard]] EpropCase mlgenn_case(const nlohmann::json& entry);

/// [rows][columns] from JSON.
[[nodiscard]] training::eprop::Matrix matrix_of(const nlohmann::json& rows, bool transposed = false);
/// The largest |value - expected| as a share of the largest |expected| of the matrix.
[[nodiscard]] double deviation(const training::eprop::Matrix& value, const training::eprop::Matrix& expected);

/// The largest deviation of losses, weights and gradients of all iterations; infinite where a spike differs.
[[nodiscard]] double bellec2020_deviation(const nlohmann::json& entry);
/// The same against `numpy` (float64) or `mlgenn` (float32): weights and Adam's means of the gradients.
[[nodiscard]] double mlgenn_deviation(const nlohmann::json& entry, const std::string& expected);

}  // namespace tessera::test
