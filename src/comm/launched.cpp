// The communicator that fits how this process was started.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/mpi.hpp"

namespace tessera {

std::shared_ptr<Communicator> launched_communicator(const RankOptions& options) {
  const std::optional<Launcher> by = launcher();
  if (!by) return local_communicator();
  MpiOptions mpi;
  mpi.ranks = options;
  mpi.expected_size = by->size;
  mpi.launcher = by->name;
  return mpi_communicator(mpi);
}

}  // namespace tessera
