// The words that start a program as several ranks on this machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <string>
#include <vector>

#include "tessera/communicator.hpp"

namespace tessera::test {

/// When a rank dies, Open MPI kills the others two seconds later. On a crowded machine they may not have said by
/// then who is lost; `patient` leaves that to them (Open MPI before 5 only).
enum class LauncherIs { hasty, patient };

/// More ranks than cores are meant, none is pinned, and containers run as root: Open MPI wants to be told.
inline std::vector<std::string> mpirun(int ranks, LauncherIs launcher = LauncherIs::hasty) {
  std::vector<std::string> words{TESSERA_MPIRUN, "-n", std::to_string(ranks)};
  if (mpi_name().rfind("Open MPI", 0) == 0) {
    words.insert(words.end(), {"--oversubscribe", "--bind-to", "none"});
    if (geteuid() == 0) words.push_back("--allow-run-as-root");
    if (launcher == LauncherIs::patient) words.insert(words.end(), {"--mca", "orte_enable_recovery", "true"});
  }
  return words;
}

}  // namespace tessera::test
