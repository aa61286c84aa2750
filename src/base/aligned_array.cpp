// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/aligned_array.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace tessera {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Arrays from here on get huge pages: a ring of input slots spans more small pages than a TLB holds.
constexpr std::size_t kSmallestHuge = std::size_t{256} << 10;

std::size_t rounded(std::size_t bytes) {
  const std::size_t page = bytes >= kSmallestHuge ? kHugePage : std::size_t{4096};
  return (bytes + page - 1) / page * page;
}

void* map(std::size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return pages;
}

}  // namespace

std::size_t page_bytes(std::size_t bytes) { return rounded(bytes); }

void* allocate_pages(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  if (bytes < kSmallestHuge) return map(size);
  // A huge page must begin at a multiple of its size: map one more and give the ends back.
  auto* begin = static_cast<unsigned char*>(map(size + kHugePage));
  const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
  if (before > 0) munmap(begin, before);
  if (before < kHugePage) munmap(begin + before + size, kHugePage - before);
#ifdef MADV_HUGEPAGE
  madvise(begin + before, size, MADV_HUGEPAGE);
#endif
  return begin + before;
}

void* resize_pages(void* pages, std::size_t old_bytes, std::size_t new_bytes) {
  // The thread sanitizer does not see mremap and would take reused addresses for shared ones.
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
  void* moved = mremap(pages, rounded(old_bytes), rounded(new_bytes), MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (new_bytes >= kSmallestHuge) madvise(moved, rounded(new_bytes), MADV_HUGEPAGE);
#endif
  return moved;
#else
  void* fresh = allocate_pages(new_bytes);
  std::memcpy(fresh, pages, std::min(old_bytes, new_bytes));
  release_pages(pages, old_bytes);
  return fresh;
#endif
}

void release_pages(void* pages, std::size_t bytes) noexcept { munmap(pages, rounded(bytes)); }

}  // namespace tessera
