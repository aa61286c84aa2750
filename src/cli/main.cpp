// The tessera command: turns exceptions into messages and exit codes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <cstdio>
#include <exception>

#include "cli/arguments.hpp"
#include "cli/failure.hpp"
#include "cli/interrupt.hpp"
#include "cli/ranks.hpp"

namespace {

// Text that sits in a buffer is lost when the disk behind standard output is full: say so.
int with_output_checked(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  tessera::cli::complain({tessera::cli::kRunFailed, {"cannot write to standard output."}, false});
  return exit_code == tessera::cli::kOk ? tessera::cli::kRunFailed : exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tessera;
  cli::watch_for_interrupts();
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error with a sentence
  try {
    return with_output_checked(cli::dispatch(argc, argv));
  } catch (...) {
    const cli::Failure failure = cli::describe(std::current_exception());
    if (cli::speaks()) cli::complain(failure);  // every process of a launcher has met it
    return failure.exit_code;
  }
}
