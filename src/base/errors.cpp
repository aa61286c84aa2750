// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/errors.hpp"

#include <algorithm>
#include <compare>

namespace tessera {
namespace {

std::string joined(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    const std::string where = problem.where.to_string();
    text += where.empty() ? problem.message : where + ": " + problem.message;
  }
  return text;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Edits that turn one word into the other. Letters that differ in case only count as equal in
/// `edits`, and break ties in `cases`.
struct Difference {
  std::size_t edits = 0, cases = 0;
  auto operator<=>(const Difference&) const = default;
  Difference operator+(const Difference& more) const { return {edits + more.edits, cases + more.cases}; }
};

Difference difference(const std::string& a, const std::string& b) {
  std::vector<Difference> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = {j, 0};
  for (std::size_t i = 1; i <= a.size(); ++i) {
    Difference diagonal = row[0];
    row[0] = {i, 0};
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = a[i - 1], y = b[j - 1];
      const bool same = lower(x) == lower(y);
      const Difference substituted = diagonal + Difference{same ? 0u : 1u, same && x != y ? 1u : 0u};
      diagonal = row[j];
      row[j] = std::min({row[j] + Difference{1, 0}, row[j - 1] + Difference{1, 0}, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string SourceLocation::to_string() const {
  std::string text = file;
  if (line > 0) text += (text.empty() ? "line " : ":") + std::to_string(line);
  if (line > 0 && column > 0) text += ":" + std::to_string(column);
  if (!key_path.empty()) text += text.empty() ? key_path : " (" + key_path + ")";
  return text;
}

InputError::InputError(std::vector<Problem> problems)
    : std::runtime_error(joined(problems)), problems_(std::move(problems)) {}

InputError::InputError(std::string message)
    : InputError(std::vector<Problem>{{SourceLocation{}, std::move(message)}}) {}

std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  Difference least{std::max<std::size_t>(1, word.size() / 3) + 1, 0};
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 256 || word.size() > 256) continue;
    const Difference found = difference(word, candidate);
    if (found < least) {
      least = found;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = nearest_name(word, candidates);
  return near.empty() ? "" : " Did you mean '" + near + "'?";
}

}  // namespace tessera
