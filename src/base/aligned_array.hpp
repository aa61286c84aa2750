// A fixed-size array of plain values on huge pages where the system has them, zeroed, cache aligned.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace tessera {

/// Zeroed pages straight from the system; throws std::bad_alloc. Touched only when used.
[[nodiscard]] void* allocate_pages(std::size_t bytes);
void release_pages(void* pages, std::size_t bytes) noexcept;
/// What an array of `bytes` really takes: whole pages, huge ones for large arrays.
[[nodiscard]] std::size_t page_bytes(std::size_t bytes);
/// Moves pages to a larger or smaller block without copying them; new pages are zero.
[[nodiscard]] void* resize_pages(void* pages, std::size_t old_bytes, std::size_t new_bytes);

template <class T>
class AlignedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t size)
      : data_(size == 0 ? nullptr : static_cast<T*>(allocate_pages(size * sizeof(T)))),
        size_(size) {}
  AlignedArray(AlignedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedArray& operator=(AlignedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedArray() {
    if (data_ != nullptr) release_pages(data_, size_ * sizeof(T));
  }

  /// Keeps the first min(size, new_size) values; pointers into the array become invalid.
  void resize(std::size_t new_size) {
    if (data_ == nullptr || new_size == 0) {
      *this = AlignedArray(new_size);
    } else {
      data_ = static_cast<T*>(resize_pages(data_, bytes(), new_size * sizeof(T)));
      size_ = new_size;
    }
  }

  [[nodiscard]] T* data() noexcept { return data_; }
  [[nodiscard]] const T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(T); }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tessera
