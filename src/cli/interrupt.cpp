// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include "cli/arguments.hpp"

namespace tessera::cli {
namespace {

// A signal handler can reach nothing but static storage.
volatile sig_atomic_t guarded = 0;
volatile sig_atomic_t interrupted = 0;

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

void on_signal(int) {
  if (guarded == 0 || interrupted != 0) _exit(kInterrupted);
  interrupted = 1;
}

void install(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a write to the disk is not cut short
  sigaction(signal_number, &action, nullptr);
}

// nohup says so before it starts a program.
bool hangups_are_ignored() {
  struct sigaction before = {};
  return sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
}

}  // namespace

void watch_for_interrupts() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal_number : kSignals) {
    if (signal_number == SIGHUP && hangups_are_ignored()) continue;
    install(signal_number, on_signal);
    sigaddset(&signals, signal_number);
  }
  // A parent may have blocked them; then one that came before main() is delivered here.
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

InterruptGuard::InterruptGuard() {
  interrupted = 0;
  guarded = 1;
  install(SIGPIPE, SIG_IGN);  // a reader that went away must not take the result with it
}

InterruptGuard::~InterruptGuard() {
  guarded = 0;
  install(SIGPIPE, SIG_DFL);
}

bool InterruptGuard::requested() const noexcept { return interrupted != 0; }

}  // namespace tessera::cli
