// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/choose_device.hpp"

#include "engine/device_map.hpp"
#include "tessera/errors.hpp"

namespace tessera {

std::vector<DeviceInfo> list_devices(std::string& why) {
  std::vector<DeviceInfo> devices;
  for (const gpu::MachineInfo& found : gpu::find_devices(why)) {
    devices.push_back({found.name, found.multiprocessors, found.memory_bytes});
  }
  return devices;
}

std::string why_on_processor(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options) {
  if (options.device.kind != Device::Kind::automatic) return "";
  const std::vector<std::string> obstacles = device_obstacles(network, models, options);
  if (!obstacles.empty()) return obstacles.front();
  std::string why;
  return gpu::find_devices(why).empty() ? why : "";
}

std::unique_ptr<gpu::Machine> choose_device(const Network& network, const NeuronCatalogue& models,
                                            const SimulationOptions& options) {
  const Device& device = options.device;
  if (device.kind == Device::Kind::cpu) return nullptr;
  if (device.kind == Device::Kind::automatic) {
    return why_on_processor(network, models, options).empty() ? gpu::open_device(0) : nullptr;
  }
  const std::vector<std::string> obstacles = device_obstacles(network, models, options);
  if (!obstacles.empty()) {
    std::vector<Problem> problems;
    for (const std::string& obstacle : obstacles) {
      Problem problem;
      problem.message = obstacle;
      problems.push_back(std::move(problem));
    }
    throw InputError(std::move(problems));
  }
  if (device.kind == Device::Kind::cuda) return gpu::open_device(device.index);
  if (device.threads < 64 || device.threads % 32 != 0 || device.blocks == 0) {
    throw InputError("An emulated device has at least 1 block and 64 threads, a multiple of 32.");
  }
  return gpu::emulate_device(device.blocks, device.threads, device.order);
}

}  // namespace tessera
