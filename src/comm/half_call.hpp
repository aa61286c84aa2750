// Which call is half done: between start_...() and finish_...() no other call may come.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace tessera {

/// A wrong order is a mistake of the program, not of its user: std::logic_error.
class HalfCall {
 public:
  enum class Kind { none, all_gather, exchange };

  void require_none(const char* call) const {
    if (open_ == Kind::none) return;
    throw std::logic_error(std::string(call) + " between the halves of " + name(open_));
  }
  void start(Kind kind) {
    require_none(name(kind));
    open_ = kind;
  }
  void finish(Kind kind) {
    if (open_ != kind) throw std::logic_error(std::string(name(kind)) + " is finished before it was started");
    open_ = Kind::none;
  }

 private:
  static const char* name(Kind kind) { return kind == Kind::all_gather ? "all_gather" : "exchange"; }
  Kind open_ = Kind::none;
};

}  // namespace tessera
