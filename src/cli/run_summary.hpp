// The tables at the end of a run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "tessera/result.hpp"

namespace tessera::cli {

/// Phases, real-time factor, memory, and rate and CV per population, on standard output.
void show_run_summary(const RunSummary& summary, const std::filesystem::path& folder);

}  // namespace tessera::cli
