// tessera completion: scripts that complete command lines in bash and zsh.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "cli/arguments.hpp"

namespace tessera::cli {

/// Prints the script of a shell. Commands and options are those of `app`; what a value may be
/// follows from its placeholder: FILE, DIR, or words between bars.
int completion(const CLI::App& app, const CompletionArguments& arguments);

}  // namespace tessera::cli
