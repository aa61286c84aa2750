// Ranks that are processes, joined by MPI.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "tessera/communicator.hpp"

namespace tessera {

struct MpiOptions {
  RankOptions ranks;
  int expected_size = 0;            ///< of all ranks, as the launcher says; 0: it does not
  std::string launcher = "nobody";  ///< for the message where they differ
  /// The communicator whose ranks these are, as Fortran's integer for it; none: MPI_COMM_WORLD.
  std::optional<int> parent;
  /// Signs of life from a thread. Without it, or where the library is not able to (below
  /// MPI_THREAD_SERIALIZED), they are given while this rank waits: one that computes for longer than the
  /// patience counts as lost.
  bool watch_thread = true;
  /// More bytes (or values) than this travel in pieces: counts of MPI are 31 bits.
  std::size_t largest_count = std::size_t{1} << 30;
};

/// See launched_communicator().
[[nodiscard]] std::shared_ptr<Communicator> mpi_communicator(const MpiOptions& options);

}  // namespace tessera
