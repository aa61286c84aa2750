// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/failure.hpp"

#include <cstdio>
#include <new>

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "tessera/communicator.hpp"
#include "tessera/errors.hpp"

namespace tessera::cli {

Failure describe(const std::exception_ptr& exception) noexcept {
  Failure failure{kRunFailed, {}, false};
  try {
    std::rethrow_exception(exception);
  } catch (const InputError& error) {
    failure.exit_code = kBadInput;
    for (const Problem& problem : error.problems()) {
      const std::string where = problem.where.to_string();
      failure.sentences.push_back(where.empty() ? problem.message : where + ": " + problem.message);
    }
  } catch (const CommunicationError& error) {
    failure.sentences.push_back(error.what());
    failure.of_one_rank = true;
  } catch (const RunError& error) {
    failure.sentences.push_back(error.what());
  } catch (const std::bad_alloc&) {
    failure.sentences.push_back("out of memory. 'tessera plan MODEL' shows what a model needs.");
    failure.of_one_rank = true;
  } catch (const std::exception& error) {
    failure.sentences.push_back(error.what());
    failure.of_one_rank = true;
  } catch (...) {
    failure.sentences.push_back("an unknown failure.");
    failure.of_one_rank = true;
  }
  return failure;
}

std::string text_of(const Failure& failure) {
  std::string text;
  for (const std::string& sentence : failure.sentences) {
    if (!text.empty()) text += '\n';
    text += "tessera: error: " + printable(sentence);
  }
  return text;
}

void complain(const Failure& failure) noexcept { std::fputs((text_of(failure) + "\n").c_str(), stderr); }

}  // namespace tessera::cli
