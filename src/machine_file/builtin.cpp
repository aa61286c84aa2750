// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine_file/builtin.hpp"

#include "builtin_machines.hpp"

namespace tessera::io {

std::span<const BuiltinMachine> builtin_machines() { return kBuiltinMachines; }

}  // namespace tessera::io
