// A GPU: the launch, memory, and the few lines that only a device needs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>

#include "kernels/cuda/machine.hpp"
#include "kernels/cuda/phases.hpp"
#include "tessera/errors.hpp"

namespace tessera::gpu {
namespace {

constexpr int kThreads = 768;  // of a block

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw RunError(std::string("The GPU failed (") + what + "): " + cudaGetErrorString(error) + ".");
}

/// All threads of a block at once. Thread 0 measures: what a phase costs includes waiting for its slowest
/// thread.
struct DeviceTeam {
  Neuron own;
  std::uint64_t* cycles;
  long long since;

  template <class Phase>
  TESSERA_PHASE void phase(int number, const Phase& run) {
    apart(run);
#if defined(__CUDA_ARCH__)
    __syncthreads();
    if (threadIdx.x == 0) {
      const long long now = clock64();
      cycles[number] += static_cast<std::uint64_t>(now - since);
      since = now;
    }
#else
    (void)number;
#endif
  }
  template <class Phase>
  TESSERA_PHASE void apart(const Phase& run) {
#if defined(__CUDA_ARCH__)
    run(threadIdx.x, own);
#else
    (void)run;
#endif
  }
};

/// All blocks meet: what a block added before is seen by all behind it. False: one never came.
__device__ bool meet(const Network& network, std::int64_t step) {
  __shared__ bool came;
  if (threadIdx.x == 0) {
    const auto all = static_cast<std::uint32_t>(step + 1) * gridDim.x;
    __threadfence();
    atomicAdd(network.arrived, 1u);
    std::uint32_t looks = 0, here = 0;
    do {
      asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(here) : "l"(network.arrived) : "memory");
    } while (static_cast<std::int32_t>(here - all) < 0 && ++looks < kPatience);
    came = looks < kPatience;
  }
  __syncthreads();
  return came;
}

template <Rows kRows, Equation kEquation, bool kOwn, bool kShared>
__global__ void __launch_bounds__(kThreads, 1) steps(Network network, std::int64_t from, std::int64_t to) {
  extern __shared__ __align__(16) std::uint32_t memory[];
  __shared__ Scratch scratch;
  __shared__ std::uint64_t cycles[3];
  std::uint32_t* image = kShared ? memory : network.images + std::size_t{blockIdx.x} * network.layout.words;
  const Block block{&network, blockIdx.x, blockDim.x, image, &scratch};
  if (threadIdx.x < 3) cycles[threadIdx.x] = 0;
  begin_launch(threadIdx.x, block);
  __syncthreads();
  DeviceTeam team{{}, cycles, clock64()};
  if (kOwn) take_neuron<kEquation>(threadIdx.x, block, team.own);
  for (std::int64_t step = from; step < to; ++step) {
    const std::uint32_t now = ring_row_of(network.layout, step);
    if (!begin_step<kRows, kEquation>(team, block, step, now)) break;
    if (kRows == Rows::drawn && !meet(network, step)) {
      scratch.failed = 1;
      break;
    }
    end_step<kRows, kEquation, kOwn>(team, block, step, now);
  }
  __syncthreads();
  if (kOwn) leave_neuron<kEquation>(threadIdx.x, block, team.own);
  __syncthreads();
  end_launch(threadIdx.x, block, to);
  if (threadIdx.x < 3) network.totals[blockIdx.x].cycles[threadIdx.x] += cycles[threadIdx.x];
}

MachineInfo describe(int index) {
  cudaDeviceProp device;
  check(cudaGetDeviceProperties(&device, index), "cudaGetDeviceProperties");
  MachineInfo info;
  info.name = device.name;
  info.multiprocessors = static_cast<std::uint32_t>(device.multiProcessorCount);
  info.memory_bytes = device.totalGlobalMem;
  info.shared_bytes = device.sharedMemPerBlockOptin;
  return info;
}

class CudaMachine final : public Machine {
 public:
  explicit CudaMachine(int index) {
    check(cudaSetDevice(index), "cudaSetDevice");
    info_ = describe(index);
    std::size_t total = 0;
    std::size_t free = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    info_.free_bytes = free;
    check(cudaMallocHost(&staging_, kStaging), "cudaMallocHost");
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
  }
  // Nothing can be done about an error on the way out.
  ~CudaMachine() override {
    for (void* array : arrays_) (void)cudaFree(array);
    (void)cudaFreeHost(staging_);
    (void)cudaEventDestroy(begin_);
    (void)cudaEventDestroy(end_);
  }
  CudaMachine(const CudaMachine&) = delete;
  CudaMachine& operator=(const CudaMachine&) = delete;

  MachineInfo info() const override { return info_; }

  void* allocate(std::size_t bytes) override {
    void* array = nullptr;
    check(cudaMalloc(&array, std::max<std::size_t>(bytes, 1)), "cudaMalloc");
    arrays_.push_back(array);
    clear(array, bytes);
    return array;
  }
  void upload(void* to, const void* from, std::size_t bytes) override {
    check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "cudaMemcpy to the device");
  }
  // Through pinned memory: a pageable copy costs ten times as much for the little that a launch leaves.
  void download(void* to, const void* from, std::size_t pitch, std::size_t width, std::size_t rows) override {
    auto* out = static_cast<std::uint8_t*>(to);
    const auto* in = static_cast<const std::uint8_t*>(from);
    if (pitch == width) {  // one piece
      for (std::size_t at = 0; at < width * rows; at += kStaging) {
        const std::size_t n = std::min(kStaging, width * rows - at);
        check(cudaMemcpy(staging_, in + at, n, cudaMemcpyDeviceToHost), "cudaMemcpy from the device");
        std::memcpy(out + at, staging_, n);
      }
      return;
    }
    const std::size_t at_once = std::max<std::size_t>(1, kStaging / std::max<std::size_t>(width, 1));
    if (width > kStaging) throw RunError("A row of more than 16 MB cannot be read from the GPU.");
    for (std::size_t row = 0; row < rows; row += at_once) {
      const std::size_t n = std::min(at_once, rows - row);
      check(cudaMemcpy2D(staging_, width, in + row * pitch, pitch, width, n, cudaMemcpyDeviceToHost), "cudaMemcpy2D from the device");
      std::memcpy(out + row * width, staging_, n * width);
    }
  }
  void clear(void* what, std::size_t bytes) override { check(cudaMemset(what, 0, bytes), "cudaMemset"); }

  void wait() override {
    check(cudaEventSynchronize(end_), "steps");
    float ms = 0.0f;
    check(cudaEventElapsedTime(&ms, begin_, end_), "cudaEventElapsedTime");
    seconds_ += 1e-3 * ms;
  }
  double seconds() const override { return seconds_; }
  void start(const Network& network, std::int64_t from, std::int64_t to) override {
    const bool shared = std::size_t{network.layout.words} * 4 + kOwnBytes <= info_.shared_bytes;
    choose_steps(network, kThreads, [&]<Rows kRows, Equation kEquation, bool kOwn>() {
      launch(shared ? steps<kRows, kEquation, kOwn, true> : steps<kRows, kEquation, kOwn, false>, network, from, to, shared);
    });
  }

 private:
  static constexpr std::size_t kStaging = std::size_t{16} << 20;

  template <class Kernel>
  void launch(Kernel kernel, Network network, std::int64_t from, std::int64_t to, bool shared) {
    const std::size_t bytes = shared ? std::size_t{network.layout.words} * 4 : 0;
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
          "shared memory of a block");
    void* arguments[] = {&network, &from, &to};
    check(cudaEventRecord(begin_), "cudaEventRecord");
    // Cooperative: all blocks run at once, or the launch fails.
    check(cudaLaunchCooperativeKernel(reinterpret_cast<void*>(kernel), dim3(network.layout.blocks), dim3(kThreads), arguments,
                                      bytes, nullptr),
          "launch");
    check(cudaEventRecord(end_), "cudaEventRecord");
  }

  MachineInfo info_;
  std::vector<void*> arrays_;
  void* staging_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;  ///< around the last launch
  double seconds_ = 0.0;
};

}  // namespace

std::vector<MachineInfo> find_devices(std::string& why) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    (void)cudaGetLastError();
    int driver = 0;
    (void)cudaDriverGetVersion(&driver);
    if (error == cudaErrorInsufficientDriver) {
      why = driver == 0 ? "no NVIDIA driver was found."
                        : "the NVIDIA driver is too old: it knows CUDA " + std::to_string(driver / 1000) + "." +
                              std::to_string(driver % 1000 / 10) + ", this program needs " +
                              std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10) + ".";
    } else {
      why = error == cudaSuccess || error == cudaErrorNoDevice ? "no CUDA device was found."
                                                               : std::string(cudaGetErrorString(error)) + ".";
    }
    return {};
  }
  std::vector<MachineInfo> devices;
  for (int i = 0; i < count; ++i) devices.push_back(describe(i));
  return devices;
}

std::unique_ptr<Machine> open_device(int index) {
  std::string why;
  const std::vector<MachineInfo> devices = find_devices(why);
  if (devices.empty()) throw InputError("There is no GPU to run on: " + why);
  if (index < 0 || index >= static_cast<int>(devices.size())) {
    throw InputError("There is no GPU with the index " + std::to_string(index) + "; there " +
                     (devices.size() == 1 ? "is 1" : "are " + std::to_string(devices.size())) + ", counted from 0.");
  }
  return std::make_unique<CudaMachine>(index);
}

}  // namespace tessera::gpu
