// The shipped rules; their equations stand at RewiringKind.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tessera/rewiring.hpp"

namespace tessera::training {

[[nodiscard]] std::unique_ptr<RewiringRule> make_deep_r(const Rewiring& rewiring);
[[nodiscard]] std::unique_ptr<RewiringRule> make_soft_deep_r(const Rewiring& rewiring);
[[nodiscard]] std::unique_ptr<RewiringRule> make_rigl(const Rewiring& rewiring);
/// Any of them, or the caller's own.
[[nodiscard]] std::unique_ptr<RewiringRule> make_rule(const Rewiring& rewiring);

}  // namespace tessera::training
