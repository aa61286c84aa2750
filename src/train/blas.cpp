// The only file that knows OpenBLAS. The library is opened when the first product is wanted and not
// linked: opening it starts a team of threads with large buffers, which every command would pay for.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/blas.hpp"

#include <cblas.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/process_limits.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {
namespace {

constexpr const char* kLibrary = "libopenblas.so.0";
constexpr const char* kThreads = "OPENBLAS_NUM_THREADS";

// Addresses that OpenBLAS takes, from its calls of mmap (strace; 0.3.21 of Debian 12, x86-64): 40 MB
// for the library and those it needs, and a buffer of 128 MiB for every thread that computes a
// product (its BUFFER_SIZE). Where a buffer does not fit it asks again, without an end.
constexpr std::size_t kLibraryBytes = std::size_t{64} << 20, kBufferBytes = std::size_t{128} << 20;

struct OpenBlas {
  decltype(&cblas_sgemm) sgemm = nullptr;
  decltype(&openblas_get_num_threads) get_num_threads = nullptr;
  decltype(&openblas_set_num_threads) set_num_threads = nullptr;
  decltype(&openblas_get_corename) get_corename = nullptr;
  void* (*take_buffer)(int) = nullptr;      // these two are not in its header; without them
  void (*return_buffer)(void*) = nullptr;   // buffers are mapped by the first products
  std::string obstacle;  ///< a sentence when one of them is missing
};

// OpenBLAS reads this once, while it is opened: with 1 it starts no threads at all. What the
// environment said before is put back, for others in this process and for its children.
class OneThreadWhileOpening {
 public:
  OneThreadWhileOpening() {
    if (const char* before = getenv(kThreads)) before_ = before;
    setenv(kThreads, "1", 1);
  }
  ~OneThreadWhileOpening() {
    if (before_) {
      setenv(kThreads, before_->c_str(), 1);
    } else {
      unsetenv(kThreads);
    }
  }
  OneThreadWhileOpening(const OneThreadWhileOpening&) = delete;
  OneThreadWhileOpening& operator=(const OneThreadWhileOpening&) = delete;

 private:
  std::optional<std::string> before_;
};

std::string reason_of_last_failure() {
  const char* const reason = dlerror();
  return reason == nullptr ? "no reason given" : reason;
}

// Never closed: its threads, if it has some, would outlive their code.
OpenBlas open_library(const char* file) {
  OpenBlas blas;
  const OneThreadWhileOpening one_thread;
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  bool complete = library != nullptr;
  const auto find = [&](const char* name, auto& function) {
    if (!complete) return;
    void* const address = dlsym(library, name);
    complete = address != nullptr;
    std::memcpy(&function, &address, sizeof address);  // no cast between these is portable
  };
  find("cblas_sgemm", blas.sgemm);
  find("openblas_get_num_threads", blas.get_num_threads);
  find("openblas_set_num_threads", blas.set_num_threads);
  find("openblas_get_corename", blas.get_corename);
  if (!complete) {
    blas.obstacle = "The dense strategy needs OpenBLAS, and '" + std::string(file) +
                    "' cannot be loaded (" + reason_of_last_failure() +
                    "). Install it (package libopenblas0 of Debian and Ubuntu) or use the sparse strategy.";
    return blas;
  }
  find("blas_memory_alloc", blas.take_buffer);
  find("blas_memory_free", blas.return_buffer);
  return blas;
}

const OpenBlas& open_blas() {
  static const OpenBlas blas = open_library(kLibrary);
  return blas;
}

std::mutex buffers_mutex;
std::size_t buffers = 0;  // that OpenBLAS has, or has room for

std::string room_obstacle(std::size_t workers) {
  std::vector<std::size_t> pieces(workers - buffers, kBufferBytes);
  if (buffers == 0) pieces.push_back(kLibraryBytes);
  if (can_map(pieces)) return {};
  return fmt::format(
      "The dense strategy needs OpenBLAS, which takes {} MiB of address space for {}, and the limits "
      "of this process leave less (ulimit -v, ulimit -d). Raise them, use fewer threads or the "
      "sparse strategy.",
      (kLibraryBytes + workers * kBufferBytes) >> 20,
      workers == 1 ? "a thread" : fmt::format("{} threads", workers));
}

// Now, while there is room: what training allocates afterwards cannot take it away.
void take_buffers(const OpenBlas& blas, std::size_t workers) {
  if (blas.take_buffer == nullptr || blas.return_buffer == nullptr) return;
  std::vector<void*> taken(workers);
  for (void*& buffer : taken) buffer = blas.take_buffer(0);
  for (void* const buffer : taken) {
    if (buffer != nullptr) blas.return_buffer(buffer);
  }
}

std::mutex users_mutex;
int users = 0;
int threads_before = 1;

void product(CBLAS_TRANSPOSE a_order, CBLAS_TRANSPOSE b_order, std::size_t m, std::size_t n,
             std::size_t k, MatrixIn a, MatrixIn b, MatrixOut c, bool add) {
  const auto i = [](std::size_t x) { return static_cast<blasint>(x); };
  open_blas().sgemm(CblasRowMajor, a_order, b_order, i(m), i(n), i(k), 1.0f, a.data, i(a.stride),
                    b.data, i(b.stride), add ? 1.0f : 0.0f, c.data, i(c.stride));
}

}  // namespace

std::string blas_obstacle(int workers) {
  const std::lock_guard lock(buffers_mutex);
  const auto wanted = static_cast<std::size_t>(workers);
  if (wanted <= buffers) return open_blas().obstacle;
  if (std::string obstacle = room_obstacle(wanted); !obstacle.empty()) return obstacle;
  const OpenBlas& blas = open_blas();
  if (blas.obstacle.empty()) {
    take_buffers(blas, wanted);
    buffers = wanted;
  }
  return blas.obstacle;
}

std::string blas_obstacle_of(const char* file) { return open_library(file).obstacle; }

std::string blas_advice() {
#if defined(__x86_64__)
  if (!blas_obstacle().empty()) return {};
  const std::string kernels = open_blas().get_corename();
  const bool old =
      kernels == "Prescott" || kernels == "Core2" || kernels == "Nehalem" || kernels == "Penryn";
  const char* better = __builtin_cpu_supports("avx512f") ? "SkylakeX"
                       : __builtin_cpu_supports("avx2")  ? "Haswell"
                                                         : nullptr;
  if (old && better != nullptr) {
    return "OpenBLAS does not know this processor and uses its '" + kernels +
           "' kernels: the dense strategy becomes several times faster with OPENBLAS_CORETYPE=" +
           better + " in the environment.";
  }
#endif
  return {};
}

SingleThreadedBlas::SingleThreadedBlas() {
  if (const std::string obstacle = blas_obstacle(); !obstacle.empty()) throw InputError(obstacle);
  const std::lock_guard lock(users_mutex);
  if (users++ > 0) return;
  threads_before = open_blas().get_num_threads();
  open_blas().set_num_threads(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  const std::lock_guard lock(users_mutex);
  if (--users == 0) open_blas().set_num_threads(threads_before);
}

void multiply(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b, MatrixOut c,
              bool add) {
  product(CblasNoTrans, CblasNoTrans, m, n, k, a, b, c, add);
}

void multiply_transposed(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b,
                         MatrixOut c, bool add) {
  product(CblasNoTrans, CblasTrans, m, n, k, a, b, c, add);
}

void transposed_multiply(std::size_t m, std::size_t n, std::size_t k, MatrixIn a, MatrixIn b,
                         MatrixOut c, bool add) {
  product(CblasTrans, CblasNoTrans, m, n, k, a, b, c, add);
}

}  // namespace tessera::training
