// What answers for JPEG images when the program was built without libjpeg.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/readers.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {

Image parse_jpeg(std::string_view, const std::string& name) {
  throw InputError("cannot read " + name +
                   ": this program was built without JPEG support (libjpeg was not found).");
}

}  // namespace tessera::training
