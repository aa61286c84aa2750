// A machine that runs the phases: a GPU, or this process pretending to be one.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/layout.hpp"

namespace tessera::gpu {

struct MachineInfo {
  std::string name;
  std::uint32_t multiprocessors = 0;
  std::uint64_t memory_bytes = 0;  ///< in all
  std::uint64_t free_bytes = 0;
  std::uint64_t shared_bytes = 0;  ///< that a block can have
};

/// Memory and launches. Every failure is a RunError with a sentence. What is allocated lives as long as the
/// machine.
class Machine {
 public:
  virtual ~Machine() = default;
  [[nodiscard]] virtual MachineInfo info() const = 0;
  /// Zeroed, aligned to at least 128 bytes.
  [[nodiscard]] virtual void* allocate(std::size_t bytes) = 0;
  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  /// `rows` pieces of `width` bytes (at most 16 MB), `pitch` bytes apart on the device, one after the other.
  virtual void download(void* to, const void* from, std::size_t pitch, std::size_t width, std::size_t rows) = 0;
  virtual void clear(void* what, std::size_t bytes) = 0;
  /// Starts the steps from .. to - 1 of all blocks; may return before they are done.
  virtual void start(const Network& network, std::int64_t from, std::int64_t to) = 0;
  /// Waits for what was started.
  virtual void wait() = 0;
  /// Seconds that launches took on the device, up to the last wait(); 0: nobody measures.
  [[nodiscard]] virtual double seconds() const { return 0.0; }

  template <class T>
  [[nodiscard]] T* allocate_array(std::size_t n) {
    return static_cast<T*>(allocate(n * sizeof(T)));
  }
};

/// GPUs that this process can use, in the order of their indices; empty without a driver, a device, or CUDA
/// in this build. `why` gets a sentence that says so.
[[nodiscard]] std::vector<MachineInfo> find_devices(std::string& why);
/// Throws InputError with a sentence where there is no such device.
[[nodiscard]] std::unique_ptr<Machine> open_device(int index);

/// Runs phases thread by thread, in an order drawn from `order` anew for every phase (0: ascending), on as
/// many blocks and threads as asked for.
[[nodiscard]] std::unique_ptr<Machine> emulate_device(std::uint32_t blocks, std::uint32_t threads, std::uint64_t order);

}  // namespace tessera::gpu
