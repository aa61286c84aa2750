// What a report says about the machine it was made on: nothing that names a user or a host.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace tessera {

struct MachineInfo {
  std::string processor;           ///< "unknown" where the system does not tell
  int cores = 0;                   ///< that this process may use, whole ones
  std::uint64_t memory_bytes = 0;  ///< that it may use; 0 where the system does not tell
};
[[nodiscard]] MachineInfo this_machine();

}  // namespace tessera
