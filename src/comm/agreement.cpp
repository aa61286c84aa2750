// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/agreement.hpp"

#include <algorithm>
#include <cstdio>
#include <new>
#include <string>

#include "tessera/errors.hpp"
#include "version.hpp"

namespace tessera {
namespace {

/// What a rank says before a run begins and after whatever may fail on it alone: this, then the sentence.
struct Statement {
  enum Kind : std::uint64_t { fine, bad_input, failed_run };
  std::uint64_t kind = fine;
  Agreement::Identity identity;
};

std::string describe(const std::exception_ptr& failure, Statement& statement) {
  if (!failure) return {};
  statement.kind = Statement::failed_run;
  try {
    std::rethrow_exception(failure);
  } catch (const InputError& error) {
    statement.kind = Statement::bad_input;
    return error.what();
  } catch (const std::bad_alloc&) {
    return "Memory is exhausted.";
  } catch (const std::exception& error) {
    return error.what();
  }
}

struct Heard {
  int rank;
  Statement statement;
  std::string sentence;
};

/// Statements of the ranks that are there.
std::vector<Heard> hear(const Gathered& all, int ranks) {
  std::vector<Heard> heard;
  for (int r = 0; r < ranks; ++r) {
    const std::span<const std::byte> bytes = all.of(r);
    if (bytes.size() < sizeof(Statement)) continue;
    Heard& one = heard.emplace_back();
    one.rank = r;
    std::memcpy(&one.statement, bytes.data(), sizeof(Statement));
    const auto text = bytes.subspan(sizeof(Statement));
    one.sentence.assign(reinterpret_cast<const char*>(text.data()), text.size());
  }
  return heard;
}

void throw_first_failure(const std::vector<Heard>& heard, const std::exception_ptr& mine) {
  const Heard* first = nullptr;
  bool all_the_same = true;
  for (const Heard& one : heard) {
    if (one.statement.kind != Statement::fine && first == nullptr) first = &one;
    all_the_same = all_the_same && one.sentence == heard.front().sentence && one.statement.kind == heard.front().statement.kind;
  }
  if (first == nullptr) return;
  if (all_the_same && mine) std::rethrow_exception(mine);
  const std::string sentence = "Rank " + std::to_string(first->rank) + ": " + first->sentence;
  if (first->statement.kind == Statement::bad_input) throw InputError(sentence);
  throw RunError(sentence);
}

std::string text_of(const Agreement::Build& build) {
  return {build.begin(), std::find(build.begin(), build.end(), '\0')};
}

void require_same(const std::vector<Heard>& heard) {
  const Heard& first = heard.front();
  for (const Heard& one : heard) {
    if (one.statement.identity.build == first.statement.identity.build) continue;
    throw InputError("Ranks " + std::to_string(first.rank) + " and " + std::to_string(one.rank) +
                     " run different builds of Tessera, " + text_of(first.statement.identity.build) + " and " +
                     text_of(one.statement.identity.build) + ": all ranks of a run need the same.");
  }
  const struct {
    std::uint64_t Agreement::Identity::* part;
    const char* what;
  } parts[] = {{&Agreement::Identity::network, "models or seeds"}, {&Agreement::Identity::options, "options"}};
  for (const auto& [part, what] : parts) {
    for (const Heard& one : heard) {
      if (one.statement.identity.*part == heard.front().statement.identity.*part) continue;
      throw InputError("Ranks " + std::to_string(heard.front().rank) + " and " + std::to_string(one.rank) +
                       " have different " + what + ": all ranks of a run need the same.");
    }
  }
}

}  // namespace

Agreement::Build Agreement::this_build() {
  Build build{};
  std::snprintf(build.data(), build.size(), "%s (%s, %s, %s)", kVersion, kCommit, kCompiler, kBuildType);
  return build;
}

void Agreement::gather(std::span<const std::byte> mine, Gathered& all) const {
  if (!alone()) {
    ranks_->gather(mine, 0, all);
    return;
  }
  all.bytes.assign(mine.begin(), mine.end());
  all.begin = {0, mine.size()};
}

void Agreement::settle_failures(const std::exception_ptr& mine) const { settle_construction(mine, {}); }

void Agreement::settle_construction(const std::exception_ptr& mine, const Identity& identity) const {
  if (alone()) {
    if (mine) std::rethrow_exception(mine);
    return;
  }
  Statement statement;
  statement.identity = identity;
  const std::string sentence = describe(mine, statement);
  std::vector<std::byte> bytes(sizeof statement + sentence.size());
  std::memcpy(bytes.data(), &statement, sizeof statement);
  std::memcpy(bytes.data() + sizeof statement, sentence.data(), sentence.size());
  Gathered all;
  ranks_->all_gather(bytes, all);
  const std::vector<Heard> heard = hear(all, size());
  // A model that differs may be why a rank failed, but says less than what failed.
  throw_first_failure(heard, mine);
  require_same(heard);
}

}  // namespace tessera
