// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/rank_failures.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "comm/gathered.hpp"
#include "tessera/training.hpp"

namespace tessera::training {
namespace {

// A sentence and a layer, with a zero between them; empty: not diverged.
std::string describe_divergence(const std::exception_ptr& mine, std::exception_ptr& other) {
  try {
    if (mine) std::rethrow_exception(mine);
  } catch (const DivergedError& error) {
    return error.what() + std::string(1, '\0') + error.layer;
  } catch (...) {
    other = std::current_exception();
  }
  return {};
}

}  // namespace

void settle(const Agreement& ranks, const std::exception_ptr& mine) {
  if (ranks.alone()) {
    if (mine) std::rethrow_exception(mine);
    return;
  }
  std::exception_ptr other;
  const std::string diverged = describe_divergence(mine, other);
  ranks.settle_failures(other);
  Gathered all;
  ranks.communicator()->all_gather(std::as_bytes(std::span(diverged)), all);
  for (int r = 0; r < ranks.size(); ++r) {
    const std::span<const std::byte> bytes = all.of(r);
    if (bytes.empty()) continue;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t end = std::min(text.find('\0'), text.size());
    throw DivergedError(std::string(text.substr(0, end)), std::string(text.substr(std::min(end + 1, text.size()))));
  }
}

}  // namespace tessera::training
