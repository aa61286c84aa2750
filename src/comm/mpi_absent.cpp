// A build without MPI: what asks for several ranks gets a sentence.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/mpi.hpp"
#include "tessera/mpi_communicator.hpp"

namespace tessera {

std::shared_ptr<Communicator> mpi_communicator(const MpiOptions& options) {
  throw InputError("This build has no MPI, but " + options.launcher +
                   " has started it as one of several ranks, and each would run alone; configure with "
                   "-DTESSERA_MPI=ON (Debian and Ubuntu: apt-get install libopenmpi-dev openmpi-bin), or start it "
                   "without a launcher.");
}

std::shared_ptr<Communicator> communicator_of_mpi(int, const RankOptions&) {
  throw InputError("This build has no MPI, and can do nothing with a communicator of it; configure with -DTESSERA_MPI=ON.");
}

std::string mpi_name() { return ""; }

}  // namespace tessera
