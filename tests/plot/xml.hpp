// Looks at SVG documents: whether they are well formed, and what they hold.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace tessera::test {

// Checks nesting and quoting of tags and that text holds no bare markup; returns what is wrong.
inline std::string xml_problem(const std::string& document) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while ((at = document.find('<', at)) != std::string::npos) {
    const std::size_t end = document.find('>', at);
    if (end == std::string::npos) return "a tag has no end";
    const std::string tag = document.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) return "a tag within a tag: " + tag;
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return "an odd quote in " + tag;
    const std::string name =
        tag.substr(tag[0] == '/' ? 1 : 0, tag.find_first_of(" /", 1) - (tag[0] == '/' ? 1 : 0));
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return "unexpected </" + tag.substr(1);
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    at = end + 1;
  }
  if (!open.empty()) return "<" + open.back() + "> is not closed";
  for (const char* bad : {"nan", "inf\"", "NaN"}) {
    if (document.find(bad) != std::string::npos) return std::string("it holds ") + bad;
  }
  return "";
}

inline std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size())
    ++count;
  return count;
}

}  // namespace tessera::test
