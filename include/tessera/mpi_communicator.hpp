// The ranks of a communicator that the program has already, such as one of mpi4py.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tessera/communicator.hpp"

namespace tessera {

/// The ranks of a communicator of MPI, given as the integer that stands for it in Fortran (MPI_Comm_c2f, `py2f()` of mpi4py), so
/// that this header needs none of MPI's. It is duplicated: messages do not mix. Collective: all of its ranks make the call, and
/// end what it returns, in the same order. MPI has begun, is that of this build (mpi_name()), and ends after that. Throws
/// InputError where this build has no MPI, MPI has not begun, or the communicator is none.
[[nodiscard]] std::shared_ptr<Communicator> communicator_of_mpi(int fortran_handle, const RankOptions& options = {});

}  // namespace tessera
