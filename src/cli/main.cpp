// The tessera command: turns exceptions into messages and exit codes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/interrupt.hpp"
#include "tessera/errors.hpp"

namespace {

// Plain stdio: the error stream may be closed, and nothing may be thrown from here.
void complain(const std::string& sentence) {
  std::fputs(("tessera: error: " + tessera::printable(sentence) + "\n").c_str(), stderr);
}

// Text that sits in a buffer is lost when the disk behind standard output is full: say so.
int with_output_checked(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  complain("cannot write to standard output.");
  return exit_code == tessera::cli::kOk ? tessera::cli::kRunFailed : exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tessera;
  cli::watch_for_interrupts();
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error with a sentence
  try {
    return with_output_checked(cli::dispatch(argc, argv));
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) {
      const std::string where = problem.where.to_string();
      complain(where.empty() ? problem.message : where + ": " + problem.message);
    }
    return cli::kBadInput;
  } catch (const RunError& error) {
    complain(error.what());
  } catch (const std::bad_alloc&) {
    complain("out of memory. 'tessera plan MODEL' shows what a model needs.");
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return cli::kRunFailed;
}
