// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include "cli/arguments.hpp"

namespace tessera::cli {
namespace {

// A signal handler can reach nothing but static storage.
volatile sig_atomic_t interrupted = 0;

void on_signal(int) {
  if (interrupted != 0) _exit(kInterrupted);
  interrupted = 1;
}

void install(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a write to the disk is not cut short
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted = 0;
  install(SIGINT, on_signal);
  install(SIGTERM, on_signal);
  install(SIGPIPE, SIG_IGN);  // a reader that went away must not take the result with it
}

InterruptGuard::~InterruptGuard() {
  install(SIGINT, SIG_DFL);
  install(SIGTERM, SIG_DFL);
  install(SIGPIPE, SIG_DFL);
}

bool InterruptGuard::requested() const noexcept { return interrupted != 0; }

}  // namespace tessera::cli
