// Whether a network fits: what does not and by how much, and what would help.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tessera/simulation.hpp"

namespace tessera {

/// Bytes of every way to run a network; 0 where a way is not possible.
struct Ways {
  double stored = 0.0, procedural = 0.0, without_count_table = 0.0;
  Precision precision = Precision::fast;
  bool count_table = true;  ///< of the plan, where it is procedural
};

/// Compares plan.memory_bytes with plan.available_bytes and says what does not fit and what would help.
/// `limited_by` says what sets the limit (MemoryLimit::source).
void judge_memory(Plan& plan, const Network& network, const Ways& ways, const std::string& limited_by);

/// The projection that keeps most about what its rule does not allow in rows as they are drawn.
struct LargestTable {
  const Projection* projection = nullptr;
  double bytes = 0.0;
};
/// Names it where the network does not fit, but would without that table.
void judge_table(Plan& plan, const LargestTable& table);

/// The memory that neurons, wiring and synapses take at least, from the description alone: for networks
/// whose wiring cannot be made. Tiles, delays and times stay unknown (0).
[[nodiscard]] Plan outline(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options);

/// Whether neurons and wiring alone fit, so that the wiring may be made.
[[nodiscard]] bool wiring_fits(const Plan& outline);

/// Throws InputError with the obstacles and remedies of a plan, when it has any.
void require_fit(const Plan& plan);

}  // namespace tessera
