// The commands that a page of the documentation shows.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "cli/process.hpp"

namespace tessera::test {

/// The lines of all ```sh blocks; a backslash at the end continues a line.
inline std::vector<std::string> examples(const std::string& page) {
  std::istringstream lines(read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/" + page));
  std::vector<std::string> commands;
  bool inside = false, continued = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("```", 0) == 0) {
      inside = !inside && line == "```sh";
      continue;
    }
    if (!inside) continue;
    line.erase(std::min(line.find("  #"), line.size()));  // what the command is for
    const bool more = !line.empty() && line.back() == '\\';
    if (more) line.pop_back();
    if (continued) {
      commands.back() += line;
    } else {
      commands.push_back(line);
    }
    continued = more;
  }
  return commands;
}

}  // namespace tessera::test
