// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/deliver.hpp"

#ifdef TESSERA_PLANTED_SLOWDOWN
#include <chrono>
#endif

namespace tessera {
namespace {

#ifdef TESSERA_PLANTED_SLOWDOWN
/// A regression that the benchmarks have to find (docs/benchmarking.md): at its end waits for so many percent of its life.
class PlantedSlowdown {
 public:
  ~PlantedSlowdown() {
    const auto end = Clock::now() + (Clock::now() - start_) * TESSERA_PLANTED_SLOWDOWN / 100;
    while (Clock::now() < end) {
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};
#else
struct PlantedSlowdown {};
#endif

// Rows lie anywhere in memory: their lines are asked for this many visits ahead.
constexpr std::size_t kAhead = 4;

template <class Word>
inline void prefetch(const VisitOf<Word>& visit) {
  constexpr std::uint32_t kWordsPerLine = 64 / sizeof(Word);
  for (std::uint32_t k = 0; k < visit.count + kWordsPerLine - 1; k += kWordsPerLine) {
    __builtin_prefetch(visit.words + k);
  }
}

inline void add(std::int32_t* ring, std::uint32_t word, std::uint32_t now) {
  ring[(word + now) & kRingMask] += static_cast<std::int32_t>(word) >> kWeightShift;
}
inline void add(std::int32_t* ring, const WideWord& word, std::uint32_t now) {
  ring[(word.place + now) & kRingMask] += word.weight;
}

template <class Word>
inline void deliver(const VisitOf<Word>* visits, std::size_t n, std::int32_t* ring, std::uint32_t now) {
  for (std::size_t v = 0; v < n && v < kAhead; ++v) prefetch(visits[v]);
  for (std::size_t v = 0; v < n; ++v) {
    if (v + kAhead < n) prefetch(visits[v + kAhead]);
    const Word* words = visits[v].words;
    const std::uint32_t count = visits[v].count;
    std::uint32_t k = 0;
    for (; k + 4 <= count; k += 4) {
      const Word a = words[k], b = words[k + 1], c = words[k + 2], d = words[k + 3];
      add(ring, a, now);
      add(ring, b, now);
      add(ring, c, now);
      add(ring, d, now);
    }
    for (; k < count; ++k) add(ring, words[k], now);
  }
}

}  // namespace

void deliver_rows(const RowVisit* visits, std::size_t n, std::int32_t* ring, std::uint32_t now) {
  [[maybe_unused]] const PlantedSlowdown planted;
  deliver(visits, n, ring, now);
}

void deliver_rows(const WideRowVisit* visits, std::size_t n, std::int32_t* ring, std::uint32_t now) {
  [[maybe_unused]] const PlantedSlowdown planted;
  deliver(visits, n, ring, now);
}

}  // namespace tessera
