// Finds out from the environment whether a launcher has started this process as one of several.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "tessera/communicator.hpp"

namespace tessera {
namespace {

struct Signature {
  const char* name;
  const char* size;  ///< variable; nullptr: this launcher does not tell
  const char* rank;
};

// The innermost launcher first: mpirun may itself have been started by srun, and what uses PMIx or PMI often
// has variables of its own beside theirs. A batch script of Slurm has the tasks of its allocation in the
// environment, but no step: it is not one of several.
constexpr std::array kSignatures{
    Signature{"mpirun of Open MPI", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
    Signature{"mpirun of MVAPICH", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"},
    Signature{"mpiexec of MPICH or of one of its relatives (PMI)", "PMI_SIZE", "PMI_RANK"},
    Signature{"srun of Slurm", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
    Signature{"jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"},
    Signature{"flux", "FLUX_JOB_SIZE", "FLUX_TASK_RANK"},
    Signature{"a launcher with PMIx", nullptr, "PMIX_RANK"}};

std::optional<int> number_in(const char* variable) {
  const char* const text = variable == nullptr ? nullptr : std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const char* const end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, number);
  if (error != std::errc() || rest != end || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Launcher> launcher() {
  for (const Signature& signature : kSignatures) {
    const std::optional<int> rank = number_in(signature.rank), size = number_in(signature.size);
    if (!rank || (signature.size != nullptr && !size)) continue;
    if (size && *size <= 1) return std::nullopt;
    return Launcher{signature.name, *rank, size.value_or(0)};
  }
  return std::nullopt;
}

}  // namespace tessera
