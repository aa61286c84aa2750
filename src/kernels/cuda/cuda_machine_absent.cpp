// Without the CUDA toolkit: no devices, and a sentence that says why.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/machine.hpp"
#include "tessera/errors.hpp"

namespace tessera::gpu {

std::vector<MachineInfo> find_devices(std::string& why) {
  why = "this build has no CUDA (configure with nvcc installed).";
  return {};
}

std::unique_ptr<Machine> open_device(int) {
  std::string why;
  (void)find_devices(why);
  throw InputError("There is no GPU to run on: " + why);
}

}  // namespace tessera::gpu
