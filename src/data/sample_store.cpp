// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/sample_store.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>
#include <system_error>

#include "files/file.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {
namespace {

constexpr char kMagic[] = "TSDATA01";
constexpr std::size_t kHeaderBytes = 40, kSampleHeaderBytes = 10;

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

unsigned width_of(const std::vector<std::uint32_t>& list) {
  const bool narrow =
      std::all_of(list.begin(), list.end(), [](std::uint32_t v) { return v < 65536; });
  return narrow ? 2 : 4;
}

void pack(const std::vector<std::uint32_t>& list, unsigned width, char* into) {
  if (width == 4) {
    if (!list.empty()) std::memcpy(into, list.data(), list.size() * 4);
    return;
  }
  for (const std::uint32_t value : list) {
    const auto narrow = static_cast<std::uint16_t>(value);
    std::memcpy(into, &narrow, 2);
    into += 2;
  }
}

void unpack(const char* from, unsigned width, std::size_t count, std::vector<std::uint32_t>& list) {
  list.resize(count);
  if (width == 4) {
    if (count > 0) std::memcpy(list.data(), from, count * 4);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t narrow;
    std::memcpy(&narrow, from + 2 * i, 2);
    list[i] = narrow;
  }
}

}  // namespace

struct SampleStore::Packed {
  std::uint32_t count_a, count_b;
  std::uint8_t width_a, width_b;
  std::unique_ptr<char[]> bytes;
  [[nodiscard]] std::size_t bytes_a() const { return std::size_t{count_a} * width_a; }
  [[nodiscard]] std::size_t size() const { return bytes_a() + std::size_t{count_b} * width_b; }
};

SampleStore::SampleStore(std::size_t samples, std::uint64_t limit_bytes)
    : samples_(samples), limit_(limit_bytes) {}

SampleStore::~SampleStore() {
  for (const auto& sample : samples_) delete sample.load(std::memory_order_relaxed);
}

bool SampleStore::get(std::size_t index, std::vector<std::uint32_t>& a,
                      std::vector<std::uint32_t>& b) const {
  const Packed* packed = samples_[index].load(std::memory_order_acquire);
  if (packed == nullptr) return false;
  unpack(packed->bytes.get(), packed->width_a, packed->count_a, a);
  unpack(packed->bytes.get() + packed->bytes_a(), packed->width_b, packed->count_b, b);
  return true;
}

void SampleStore::put(std::size_t index, const std::vector<std::uint32_t>& a,
                      const std::vector<std::uint32_t>& b) {
  if (samples_[index].load(std::memory_order_relaxed) != nullptr) return;
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (a.size() > kMost || b.size() > kMost) return;
  auto packed = std::make_unique<Packed>();
  packed->count_a = static_cast<std::uint32_t>(a.size());
  packed->count_b = static_cast<std::uint32_t>(b.size());
  packed->width_a = static_cast<std::uint8_t>(width_of(a));
  packed->width_b = static_cast<std::uint8_t>(width_of(b));
  const std::uint64_t cost = packed->size() + sizeof(Packed) + 32;
  if (bytes_.fetch_add(cost) + cost > limit_) {
    bytes_.fetch_sub(cost);
    return;
  }
  packed->bytes = std::make_unique<char[]>(packed->size());
  pack(a, packed->width_a, packed->bytes.get());
  pack(b, packed->width_b, packed->bytes.get() + packed->bytes_a());
  const Packed* none = nullptr;
  // Two threads may have read the same sample: the first one's copy stays.
  if (samples_[index].compare_exchange_strong(none, packed.get(), std::memory_order_acq_rel)) {
    (void)packed.release();
  } else {
    bytes_.fetch_sub(cost);
  }
}

bool SampleStore::complete() const {
  return std::all_of(samples_.begin(), samples_.end(), [](const auto& sample) {
    return sample.load(std::memory_order_acquire) != nullptr;
  });
}

void SampleStore::save(const std::filesystem::path& file, std::uint64_t key) const {
  io::FileWriter out(file);
  std::uint64_t header[4] = {key, samples_.size(), 0, 0};
  out.write(kMagic, 8);
  out.write(header, sizeof header);
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto write = [&](const void* data, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
      hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3ull;
    }
    header[2] += bytes;
    out.write(data, bytes);
  };
  for (const auto& slot : samples_) {
    const Packed& sample = *slot.load(std::memory_order_acquire);
    write(&sample.count_a, 4);
    write(&sample.count_b, 4);
    write(&sample.width_a, 1);
    write(&sample.width_b, 1);
    write(sample.bytes.get(), sample.size());
  }
  header[3] = hash;
  out.overwrite(8, header, sizeof header);
  out.commit();
}

bool SampleStore::load(const std::filesystem::path& file, std::uint64_t key) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) return false;
  std::string bytes;
  try {
    // Packed in memory it is no smaller; twice, for a moment.
    bytes = io::read_file(file, limit_);
  } catch (const InputError&) {
    return false;
  }
  std::uint64_t header[4];
  if (bytes.size() < kHeaderBytes || std::memcmp(bytes.data(), kMagic, 8) != 0) return false;
  std::memcpy(header, bytes.data() + 8, sizeof header);
  const std::string_view body = std::string_view(bytes).substr(kHeaderBytes);
  if (header[0] != key || header[1] != samples_.size() || header[2] != body.size() ||
      header[3] != fnv1a(body)) {
    return false;
  }
  std::size_t at = 0;
  std::vector<std::uint32_t> a, b;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    if (body.size() - at < kSampleHeaderBytes) return false;
    std::uint32_t counts[2];
    std::memcpy(counts, body.data() + at, 8);
    const unsigned width_a = static_cast<unsigned char>(body[at + 8]);
    const unsigned width_b = static_cast<unsigned char>(body[at + 9]);
    at += kSampleHeaderBytes;
    if ((width_a != 2 && width_a != 4) || (width_b != 2 && width_b != 4)) return false;
    const std::uint64_t size_a = std::uint64_t{counts[0]} * width_a;
    const std::uint64_t size = size_a + std::uint64_t{counts[1]} * width_b;
    if (size > body.size() - at) return false;
    unpack(body.data() + at, width_a, counts[0], a);
    unpack(body.data() + at + size_a, width_b, counts[1], b);
    put(i, a, b);
    at += static_cast<std::size_t>(size);
  }
  return at == body.size() && complete();
}

}  // namespace tessera::training
