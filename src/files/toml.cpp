// Parses TOML from untrusted text. toml++ limits the nesting of values, but not that of dotted
// keys, whose tables it destroys recursively; these are counted here first.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#define TOML_IMPLEMENTATION
#include "files/toml.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

constexpr int kDeepestKey = 16;

struct UnexpectedText {};

// Walks over the text, knowing only strings, comments and the marks that end a key.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  /// A sentence about the first thing that is wrong (see line()), or "".
  std::string problem() {
    int dots = 0;
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // byte order mark
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        skip_to('\n');
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        if (static_cast<unsigned char>(c) > 127) {
          return "Characters beyond ASCII are only possible in texts (\"...\") and comments.";
        }
        if (c == '\n') ++line_;
        if (c == '.') ++dots;
        // Within arrays of numbers every comma starts anew.
        if (c == '\n' || c == '=' || c == ',' || c == '[' || c == '{') dots = 0;
        if (dots >= kDeepestKey) return fmt::format("A key has more than {} parts.", kDeepestKey);
        ++at_;
      }
    }
    return "";
  }
  int line() const { return line_; }

 private:
  void skip_to(char end) {
    while (at_ < text_.size() && text_[at_] != end) ++at_;
  }
  void skip_string(char quote) {
    const bool basic = quote == '"';
    const bool many_lines = text_.substr(at_, 3) == std::string(3, quote);
    at_ += many_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        if (!many_lines) return;  // an error that toml++ reports
        ++line_;
      }
      if (basic && c == '\\')
        ++at_;
      else if (c == quote && (!many_lines || text_.substr(at_, 3) == std::string(3, quote))) {
        at_ += many_lines ? 3 : 1;
        return;
      }
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

[[noreturn]] void fail(const std::string& name, int line, int column, std::string message) {
  SourceLocation where;
  where.file = name;
  where.line = line;
  where.column = column;
  throw InputError({{where, std::move(message)}});
}

}  // namespace

void toml_assertion_failed(const char* condition) {
  // A table header that does not begin with a key: the parser reports it, with its position, just
  // after it asserted that this cannot happen.
  if (std::string_view(condition).starts_with("is_bare_key_character(*cp) ||")) return;
  throw UnexpectedText{};
}

toml::table parse_toml(const std::string& text, const std::string& name) {
  if (text.size() > kLongestModelFile) {
    fail(name, 0, 0,
         fmt::format("The model file has {} bytes; at most {} are read.", text.size(),
                     kLongestModelFile));
  }
  Scan scan(text);
  if (std::string problem = scan.problem(); !problem.empty()) {
    fail(name, scan.line(), 0, std::move(problem));
  }
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    fail(name, static_cast<int>(at.line), static_cast<int>(at.column),
         fmt::format("This is not valid TOML: {}.", error.description()));
  } catch (const UnexpectedText&) {
    fail(name, 0, 0, "This is not valid TOML.");
  }
}

}  // namespace tessera::io
