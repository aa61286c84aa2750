// What bounds a spiking network on one GPU: barriers over all multiprocessors, dependent latencies,
// additions in shared memory, short rows at random places, random numbers, launches. Prints JSON.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
//
// Build and run: nvcc -O3 -std=c++20 -arch=sm_90 bench/gpu_floors.cu -o gpu_floors && ./gpu_floors
// Shapes follow the cortical microcircuit: 24 spikes a step, 3,900 synapses a spike, one block of 1,024
// threads per multiprocessor. Every figure is the median of kRepetitions launches.
#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <utility>
#include <vector>

namespace cg = cooperative_groups;

namespace {

constexpr int kRepetitions = 5;
constexpr int kThreads = 1024;
constexpr unsigned kSources = 77169, kRow = 3904, kSpikes = 24, kDraws = 4096;
constexpr unsigned kRing = 37440;  // 64 steps of 585 neurons

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "gpu_floors: %s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

template <class T>
T* device_array(std::size_t n) {
  T* data = nullptr;
  check(cudaMalloc(&data, n * sizeof(T)), "cudaMalloc");
  check(cudaMemset(data, 0, n * sizeof(T)), "cudaMemset");
  return data;
}

/// Milliseconds of one launch, the median.
double milliseconds(const std::function<void()>& launch) {
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  std::vector<float> times;
  for (int i = 0; i <= kRepetitions; ++i) {
    check(cudaEventRecord(begin), "cudaEventRecord");
    launch();
    check(cudaGetLastError(), "launch");
    check(cudaEventRecord(end), "cudaEventRecord");
    check(cudaEventSynchronize(end), "kernel");
    float ms = 0.0f;
    check(cudaEventElapsedTime(&ms, begin, end), "cudaEventElapsedTime");
    if (i > 0) times.push_back(ms);  // the first one warms up
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

bool first_line = true;
void say(const char* name, double value, const char* unit) {
  std::printf("%s\n  \"%s\": {\"value\": %.4g, \"unit\": \"%s\"}", first_line ? "{" : ",", name, value, unit);
  std::fflush(stdout);
  first_line = false;
}

template <class... Arguments>
void cooperative(void (*kernel)(Arguments...), int blocks, int threads, std::size_t shared, Arguments... arguments) {
  void* pointers[] = {&arguments...};
  if (shared > 48 * 1024) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)),
          "cudaFuncSetAttribute");
  }
  check(cudaLaunchCooperativeKernel(reinterpret_cast<void*>(kernel), blocks, threads, pointers, shared, nullptr),
        "cudaLaunchCooperativeKernel");
}

// ---- barriers: each step waits until every block has arrived ----

__global__ void barrier_groups(unsigned steps) {
  for (unsigned step = 0; step < steps; ++step) cg::this_grid().sync();
}

__device__ unsigned load_acquire(const unsigned* place) {
  unsigned value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(place) : "memory");
  return value;
}
__device__ void add_release(unsigned* place) {
  asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(place) : "memory");
}

/// One counter; thread 0 adds and spins, `pause` nanoseconds between two looks.
__global__ void barrier_counter(unsigned steps, unsigned* counter, unsigned pause) {
  for (unsigned step = 0; step < steps; ++step) {
    __syncthreads();
    if (threadIdx.x == 0) {
      add_release(counter);
      while (load_acquire(counter) < (step + 1) * gridDim.x) {
        if (pause > 0) __nanosleep(pause);
      }
    }
    __syncthreads();
  }
}

/// Every block writes a stamp of its own; one thread of every block waits for every stamp. Stamps lie
/// `stride` words apart.
__global__ void barrier_stamps(unsigned steps, unsigned* stamps, unsigned stride) {
  for (unsigned step = 1; step <= steps; ++step) {
    __syncthreads();
    if (threadIdx.x == 0) {
      asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(stamps + blockIdx.x * stride), "r"(step) : "memory");
    }
    if (threadIdx.x < gridDim.x) {
      while (load_acquire(stamps + threadIdx.x * stride) < step) {
      }
    }
    __syncthreads();
  }
}

struct Record {
  unsigned stamp, count, first, second;
};
__device__ Record load_record(const Record* place) {
  Record r;
  asm volatile(
      "{.reg .b128 t; .reg .b64 lo, hi; ld.relaxed.gpu.global.b128 t, [%4]; mov.b128 {lo, hi}, t;"
      " mov.b64 {%0, %1}, lo; mov.b64 {%2, %3}, hi;}"
      : "=r"(r.stamp), "=r"(r.count), "=r"(r.first), "=r"(r.second)
      : "l"(place)
      : "memory");
  return r;
}
__device__ void store_record(Record* place, Record r) {
  asm volatile(
      "{.reg .b128 t; .reg .b64 lo, hi; mov.b64 lo, {%1, %2}; mov.b64 hi, {%3, %4}; mov.b128 t, {lo, hi};"
      " st.relaxed.gpu.global.b128 [%0], t;}" ::"l"(place),
      "r"(r.stamp), "r"(r.count), "r"(r.first), "r"(r.second)
      : "memory");
}

/// The stamp travels with the data: 16 bytes that are written and read as one. No fence, no second read.
/// Blocks read one of `copies`; warps look at `share` records each.
__global__ void barrier_records(unsigned steps, Record* records, unsigned copies, unsigned share, unsigned* out) {
  __shared__ unsigned sum;
  if (threadIdx.x == 0) sum = 0;
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, mine = warp * share + lane;
  for (unsigned step = 1; step <= steps; ++step) {
    __syncthreads();
    if (threadIdx.x < copies) {
      store_record(records + (threadIdx.x * 2 + (step & 1)) * gridDim.x + blockIdx.x, {step, 1, step + blockIdx.x, 0});
    }
    if (lane < share && mine < gridDim.x) {
      const Record* place = records + (blockIdx.x % copies * 2 + (step & 1)) * gridDim.x + mine;
      Record r;
      do {
        r = load_record(place);
      } while (r.stamp != step);
      if (r.first % 8 == 0) atomicAdd(&sum, r.first);
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

/// Blocks of a cluster meet by hardware, one block of each through a counter.
__global__ void barrier_clusters(unsigned steps, unsigned* counter) {
  const auto cluster = cg::this_cluster();
  const unsigned clusters = gridDim.x / cluster.num_blocks();
  for (unsigned step = 0; step < steps; ++step) {
    cluster.sync();
    if (cluster.block_rank() == 0 && threadIdx.x == 0) {
      add_release(counter);
      while (load_acquire(counter) < (step + 1) * clusters) {
      }
    }
    cluster.sync();
  }
}

__global__ void barrier_of_block(unsigned steps) {
  for (unsigned step = 0; step < steps; ++step) __syncthreads();
}

void barriers(int blocks) {
  constexpr unsigned steps = 20000;
  const double to_ns = 1e6 / steps;
  unsigned* words = device_array<unsigned>(64 * 1024);
  Record* records = device_array<Record>(4096);
  const auto reset = [&] { check(cudaMemsetAsync(words, 0, 64 * 1024 * sizeof(unsigned)), "cudaMemsetAsync"); };
  for (const int threads : {256, kThreads}) {
    char name[96];
    const auto measure = [&](const char* what, const std::function<void()>& launch) {
      std::snprintf(name, sizeof name, "barrier, %s, %d threads", what, threads);
      say(name, milliseconds(launch) * to_ns, "ns");
    };
    measure("cooperative groups", [&] { cooperative(barrier_groups, blocks, threads, 0, steps); });
    measure("one counter", [&] { reset(); cooperative(barrier_counter, blocks, threads, 0, steps, words, 0u); });
    measure("one counter, 20 ns pauses", [&] { reset(); cooperative(barrier_counter, blocks, threads, 0, steps, words, 20u); });
    measure("stamps side by side", [&] { reset(); cooperative(barrier_stamps, blocks, threads, 0, steps, words, 1u); });
    measure("stamps 32 bytes apart", [&] { reset(); cooperative(barrier_stamps, blocks, threads, 0, steps, words, 8u); });
    for (const unsigned copies : {1u, 2u, 4u, 8u}) {
      for (const unsigned share : {32u, 5u}) {
        if (share * static_cast<unsigned>(threads) / 32 < static_cast<unsigned>(blocks)) continue;
        char what[64];
        std::snprintf(what, sizeof what, "records of 16 bytes, %u copies, %u a warp", copies, share);
        measure(what, [&] {
          check(cudaMemsetAsync(records, 0, 4096 * sizeof(Record)), "cudaMemsetAsync");
          cooperative(barrier_records, blocks, threads, 0, steps, records, copies, share, words);
        });
      }
    }
    measure("the block's own", [&] { cooperative(barrier_of_block, blocks, threads, 0, steps); });
    for (const unsigned size : {2u, 4u}) {
      cudaLaunchAttribute attributes[2] = {};
      attributes[0].id = cudaLaunchAttributeClusterDimension;
      attributes[0].val.clusterDim = {size, 1, 1};
      attributes[1].id = cudaLaunchAttributeCooperative;
      attributes[1].val.cooperative = 1;
      cudaLaunchConfig_t config = {};
      config.gridDim = dim3(static_cast<unsigned>(blocks) / size * size);
      config.blockDim = dim3(static_cast<unsigned>(threads));
      config.attrs = attributes;
      config.numAttrs = 2;
      reset();
      if (cudaLaunchKernelEx(&config, barrier_clusters, steps, words) != cudaSuccess) {
        (void)cudaGetLastError();  // such clusters do not all fit at once
        continue;
      }
      check(cudaDeviceSynchronize(), "clusters");
      char what[48];
      std::snprintf(what, sizeof what, "clusters of %u, then a counter", size);
      measure(what, [&] { reset(); check(cudaLaunchKernelEx(&config, barrier_clusters, steps, words), "clusters"); });
    }
  }
  cudaFree(words);
  cudaFree(records);
}

// ---- latencies: every load says where the next one is ----

/// `at` keeps the place, so that the next launch goes on where this one ended.
__global__ void chase(const unsigned* next, unsigned hops, unsigned* at) {
  unsigned here = *at;
  for (unsigned i = 0; i < hops; ++i) here = __ldcg(next + here);
  *at = here;
}
__global__ void chase_shared(unsigned hops, unsigned* out) {
  __shared__ unsigned next[1024];
  for (unsigned i = 0; i < 1024; ++i) next[i] = (i * 421 + 67) & 1023;
  unsigned at = 0;
  for (unsigned i = 0; i < hops; ++i) at = next[at];
  *out = at;
}

void latencies() {
  constexpr unsigned hops = 200000;  // of 8 million lines: what is loaded has not been loaded before
  unsigned* out = device_array<unsigned>(1);
  std::mt19937 engine(1);
  for (const unsigned megabytes : {4u, 16u, 32u, 1024u}) {
    const std::size_t words = std::size_t{megabytes} << 18, lines = words / 32;
    std::vector<unsigned> order(lines), next(words, 0);
    for (std::size_t i = 0; i < lines; ++i) order[i] = static_cast<unsigned>(i);
    std::shuffle(order.begin() + 1, order.end(), engine);
    for (std::size_t i = 0; i < lines; ++i) next[std::size_t{order[i]} * 32] = order[(i + 1) % lines] * 32;
    unsigned* chain = device_array<unsigned>(words);
    check(cudaMemcpy(chain, next.data(), words * 4, cudaMemcpyHostToDevice), "cudaMemcpy");
    check(cudaMemset(out, 0, sizeof(unsigned)), "cudaMemset");
    char name[64];
    std::snprintf(name, sizeof name, "dependent load, %u MB", megabytes);
    const unsigned n = megabytes <= 32 ? static_cast<unsigned>(lines) : hops;  // small ones: all, so that they are in L2
    say(name, milliseconds([&] { chase<<<1, 1>>>(chain, n, out); }) * 1e6 / n, "ns");
    cudaFree(chain);
  }
  say("dependent load, shared memory", milliseconds([&] { chase_shared<<<1, 1>>>(1u << 20, out); }) * 1e6 / (1u << 20), "ns");
  cudaFree(out);
}

// ---- additions in shared memory at random places, all multiprocessors at once ----

__global__ void additions(unsigned rounds, unsigned places, unsigned* out) {
  extern __shared__ int ring[];
  for (unsigned i = threadIdx.x; i < places; i += blockDim.x) ring[i] = 0;
  __syncthreads();
  unsigned x = threadIdx.x * 2654435761u + blockIdx.x;
  for (unsigned i = 0; i < rounds; ++i) {
    x = x * 1664525u + 1013904223u;
    atomicAdd(ring + __umulhi(x, places), 3);
  }
  __syncthreads();
  if (threadIdx.x == 0) out[blockIdx.x] = static_cast<unsigned>(ring[x % places]);
}

/// The same to one array of all blocks in the second-level cache.
__global__ void additions_global(unsigned rounds, unsigned places, int* ring) {
  unsigned x = (blockIdx.x * blockDim.x + threadIdx.x) * 2654435761u;
  for (unsigned i = 0; i < rounds; ++i) {
    x = x * 1664525u + 1013904223u;
    atomicAdd(ring + __umulhi(x, places), 3);
  }
}

void shared_additions(int blocks) {
  constexpr unsigned rounds = 10000;
  unsigned* out = device_array<unsigned>(static_cast<std::size_t>(blocks));
  for (const int threads : {256, 512, kThreads}) {
    char name[64];
    std::snprintf(name, sizeof name, "shared additions per multiprocessor, %d threads", threads);
    const double ms = milliseconds([&] { cooperative(additions, blocks, threads, kRing * 4, rounds, kRing, out); });
    say(name, 1e-6 * rounds * threads / ms, "1e9/s");
  }
  int* ring = device_array<int>(kSources * 64);
  const double ms = milliseconds([&] { additions_global<<<blocks, kThreads>>>(1000, kSources * 64, ring); });
  say("global additions, all multiprocessors, 20 MB", 1e-6 * 1000 * kThreads * blocks / ms, "1e9/s");
  cudaFree(ring);
  cudaFree(out);
}

// ---- rows: 24 random sources a step; a block reads the ends of its part of each, then the part ----

enum RowMode { kPlain, kPrefetched, kReadOnly };

/// A row is [ends of the parts, 16 bits each, padded][words of part 0, 1, ...]; rows lie `stride` words apart.
__global__ void read_rows(unsigned steps, const unsigned* rows, unsigned stride, const unsigned* sources, int mode,
                          unsigned* out) {
  extern __shared__ int ring[];
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
  for (unsigned i = threadIdx.x; i < kRing; i += blockDim.x) ring[i] = 0;
  unsigned sum = 0;
  for (unsigned step = 0; step < steps; ++step) {
    __syncthreads();
    const unsigned* now = sources + (step % kDraws) * kSpikes;
    if (mode == kPrefetched && threadIdx.x == 0 && blockIdx.x < kSpikes) {
      // what the owner of a spike would do one step ahead
      const unsigned* row = rows + std::size_t{sources[((step + 1) % kDraws) * kSpikes + blockIdx.x]} * stride;
      asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(row), "r"(stride * 4) : "memory");
    }
    for (unsigned s = warp; s < kSpikes; s += warps) {
      const unsigned* row = rows + std::size_t{now[s]} * stride;
      const auto* ends = reinterpret_cast<const std::uint16_t*>(row);
      const unsigned begin = __ldcg(ends + blockIdx.x), end = __ldcg(ends + blockIdx.x + 1);
      for (unsigned k = begin + lane; k < end; k += 32) {
        const unsigned word = __ldcg(row + k);
        if (mode == kReadOnly) sum += word;
        else atomicAdd(ring + __umulhi(word, kRing), static_cast<int>(word & 255u));
      }
    }
  }
  __syncthreads();
  if (threadIdx.x == 0) out[blockIdx.x] = static_cast<unsigned>(ring[sum % kRing]);
}

__device__ unsigned mix(unsigned x) {
  x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
  x = (x ^ (x >> 13)) * 0xC2B2AE35u;
  return x ^ (x >> 16);
}

/// A whole step as a simulation would have it: exchange records, look up and add the rows of 24 spikes on
/// average, advance 585 neurons. `parts` says what is done: 1 exchange, 2 rows, 4 prefetch, 8 neurons.
__global__ void whole_step(unsigned steps, const unsigned* rows, unsigned stride, Record* records, int parts, unsigned* out) {
  extern __shared__ int ring[];
  __shared__ unsigned arrived, list[256], spike[3];
  constexpr unsigned neurons = 585;
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
  for (unsigned i = threadIdx.x; i < kRing; i += blockDim.x) ring[i] = 0;
  if (threadIdx.x == 0) arrived = 0;
  float v = 0.0f, current = 0.0f;
  __syncthreads();
  for (unsigned step = 1; step <= steps; ++step) {
    Record* now = records + (step & 1) * gridDim.x;
    if (threadIdx.x == 0) {
      const unsigned draw = mix(step * 1024u + blockIdx.x);
      const unsigned source = __umulhi(mix(draw), kSources);
      const bool fires = draw % (gridDim.x * 16) < kSpikes * 16;
      if ((parts & 4) && fires) {
        asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(rows + std::size_t{source} * stride), "r"(stride * 4) : "memory");
      }
      if (parts & 1) store_record(now + blockIdx.x, {step, fires ? 1u : 0u, source, 0});
      spike[0] = fires, spike[1] = source;
    }
    if ((parts & 1) && threadIdx.x < gridDim.x) {
      Record r;
      do {
        r = load_record(now + threadIdx.x);
      } while (r.stamp != step);
      if (r.count > 0) list[atomicAdd(&arrived, 1u)] = r.first;
    }
    __syncthreads();
    const unsigned n = arrived;
    if (parts & 2) {
      for (unsigned s = warp; s < n; s += warps) {
        const unsigned* row = rows + std::size_t{list[s]} * stride;
        const auto* ends = reinterpret_cast<const std::uint16_t*>(row);
        const unsigned begin = __ldcg(ends + blockIdx.x), end = __ldcg(ends + blockIdx.x + 1);
        for (unsigned k = begin + lane; k < end; k += 32) {
          const unsigned word = __ldcg(row + k);
          atomicAdd(ring + __umulhi(word, kRing), static_cast<int>(word & 255u));
        }
      }
    }
    __syncthreads();
    if (threadIdx.x == 0) arrived = 0;
    if ((parts & 8) && threadIdx.x < neurons) {
      int* slot = ring + (step % 64) * neurons + threadIdx.x;
      const float input = static_cast<float>(*slot) * 0.05f;
      *slot = 0;
      v = 0.99f * v + (0.0004f * current + 0.01f);
      current = 0.81f * current + input;
      if (v >= 1e6f) v = 0.0f;
    }
    __syncthreads();
  }
  if (v == 1.0f || threadIdx.x == 0) out[blockIdx.x] = static_cast<unsigned>(ring[0]) + spike[0];
}

void row_reads(int blocks) {
  constexpr unsigned steps = 20000;
  const unsigned head = (static_cast<unsigned>(blocks) / 2 + 32) / 32 * 32 + 32, stride = (head + kRow + 31) / 32 * 32;
  std::vector<unsigned> row(stride);
  std::mt19937 engine(2);
  for (unsigned& word : row) word = engine();
  auto* ends = reinterpret_cast<std::uint16_t*>(row.data());
  for (int b = 0; b <= blocks; ++b) {
    ends[b] = static_cast<std::uint16_t>(head + kRow * static_cast<unsigned>(b) / static_cast<unsigned>(blocks));
  }
  unsigned* rows = device_array<unsigned>(std::size_t{kSources} * stride);
  for (unsigned s = 0; s < kSources; ++s) {
    check(cudaMemcpyAsync(rows + std::size_t{s} * stride, row.data(), stride * 4, cudaMemcpyHostToDevice), "cudaMemcpy");
  }
  std::vector<unsigned> draws(kDraws * kSpikes);
  for (unsigned& d : draws) d = engine() % kSources;
  unsigned* sources = device_array<unsigned>(draws.size());
  check(cudaMemcpy(sources, draws.data(), draws.size() * 4, cudaMemcpyHostToDevice), "cudaMemcpy");
  unsigned* out = device_array<unsigned>(static_cast<std::size_t>(blocks));
  const char* names[] = {"rows of 24 spikes, added", "rows of 24 spikes, prefetched into L2 a step ahead, added",
                         "rows of 24 spikes, only read"};
  for (int mode = 0; mode < 3; ++mode) {
    const double ms = milliseconds([&] {
      cooperative(read_rows, blocks, kThreads, kRing * 4, steps, static_cast<const unsigned*>(rows), stride,
                  static_cast<const unsigned*>(sources), mode, out);
    });
    say(names[mode], ms * 1e6 / steps, "ns per step");
  }
  Record* records = device_array<Record>(4096);
  for (const auto& [parts, what] : {std::pair{1, "step: exchange"}, {8, "step: neurons"}, {1 + 8, "step: exchange, neurons"},
                                    {1 + 2, "step: exchange, rows"}, {1 + 2 + 4, "step: exchange, rows prefetched"},
                                    {1 + 2 + 8, "step: all"}, {1 + 2 + 4 + 8, "step: all, rows prefetched"}}) {
    for (const int threads : {768, kThreads}) {
      char name[80];
      std::snprintf(name, sizeof name, "%s, %d threads", what, threads);
      const auto chosen = static_cast<int>(parts);
      const double ms = milliseconds([&, chosen] {
        check(cudaMemsetAsync(records, 0, 4096 * sizeof(Record)), "cudaMemsetAsync");
        cooperative(whole_step, blocks, threads, kRing * 4, steps, static_cast<const unsigned*>(rows), stride, records, chosen, out);
      });
      say(name, ms * 1e6 / steps, "ns");
    }
  }
  cudaFree(records);
  cudaFree(rows);
  cudaFree(sources);
  cudaFree(out);
}

// ---- Philox4x32-10: four words a block of draws ----

__global__ void philox(unsigned rounds, unsigned* out) {
  unsigned sum = 0;
  for (unsigned i = 0; i < rounds; ++i) {
    unsigned c0 = i, c1 = threadIdx.x, c2 = blockIdx.x, c3 = 4, k0 = 123, k1 = 456;
#pragma unroll
    for (int r = 0; r < 10; ++r) {
      const unsigned lo0 = 0xD2511F53u * c0, hi0 = __umulhi(0xD2511F53u, c0);
      const unsigned lo1 = 0xCD9E8D57u * c2, hi1 = __umulhi(0xCD9E8D57u, c2);
      c0 = hi1 ^ c1 ^ k0, c1 = lo1, c2 = hi0 ^ c3 ^ k1, c3 = lo0;
      k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    sum += c0 ^ c1 ^ c2 ^ c3;
  }
  if (sum == 1) *out = sum;
}

__global__ void nothing() {}

void launches() {
  constexpr int n = 2000;
  say("launches one after the other", milliseconds([] { for (int i = 0; i < n; ++i) nothing<<<132, 256>>>(); }) * 1e6 / n, "ns");
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "capture");
  for (int i = 0; i < n; ++i) nothing<<<132, 256, 0, stream>>>();
  check(cudaStreamEndCapture(stream, &graph), "capture");
  check(cudaGraphInstantiate(&exec, graph, 0), "cudaGraphInstantiate");
  say("launches in a graph", milliseconds([&] { check(cudaGraphLaunch(exec, nullptr), "cudaGraphLaunch"); }) * 1e6 / n, "ns");
  say("launch and wait", milliseconds([] {
    for (int i = 0; i < 200; ++i) {
      nothing<<<132, 256>>>();
      check(cudaDeviceSynchronize(), "wait");
    }
  }) * 1e6 / 200, "ns");
}

void bandwidth() {
  constexpr std::size_t bytes = std::size_t{4} << 30;
  auto* a = device_array<char>(bytes);
  auto* b = device_array<char>(bytes);
  const double ms = milliseconds([&] { check(cudaMemcpyAsync(a, b, bytes, cudaMemcpyDeviceToDevice), "copy"); });
  say("copy on the device, read and written", 2e-9 * static_cast<double>(bytes) / ms, "TB/s");
  cudaFree(a);
  cudaFree(b);
}

}  // namespace

int main() {
  cudaDeviceProp device;
  check(cudaGetDeviceProperties(&device, 0), "cudaGetDeviceProperties");
  std::fprintf(stderr, "%s, %d multiprocessors, %d MB of L2\n", device.name, device.multiProcessorCount,
               device.l2CacheSize >> 20);
  const int blocks = device.multiProcessorCount;
  say("multiprocessors", blocks, "");
  int clock_khz = 0;
  check(cudaDeviceGetAttribute(&clock_khz, cudaDevAttrClockRate, 0), "clock");
  say("highest clock", clock_khz * 1e-6, "GHz");
  say("second-level cache", device.l2CacheSize / 1048576.0, "MB");
  say("shared memory per block", static_cast<double>(device.sharedMemPerBlockOptin) / 1024.0, "KB");
  barriers(blocks);
  latencies();
  shared_additions(blocks);
  row_reads(blocks);
  unsigned* out = device_array<unsigned>(1);
  constexpr unsigned rounds = 10000;
  const double ms = milliseconds([&] { philox<<<blocks, kThreads>>>(rounds, out); });
  say("Philox words per multiprocessor", 4e-6 * rounds * kThreads / ms, "1e9/s");
  launches();
  bandwidth();
  std::printf("\n}\n");
  return 0;
}
