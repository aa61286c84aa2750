// Arrays of float32 in the safetensors format: trained weights, checkpoints of a training.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::io {

/// A file: eight bytes with the length of the header (little endian); the header, a JSON object
/// (tensor name: dtype, shape, [begin, end) in the data; texts under "__metadata__"); then the data,
/// which the tensors cover exactly, in the order of the file.
/// What we write also holds the metadata "tessera_digest": the XXH3 of names, shapes and values of
/// all tensors, by name, and of all other metadata. So it stays right when another program writes
/// the same tensors in another order, and wrong when anything in the file is damaged.
struct Safetensors {
  std::vector<training::Tensor> tensors;
  std::map<std::string, std::string> metadata;  ///< without the digest
  bool has_digest = false;  ///< read: there was a digest, and it fits. Not looked at when writing
};

/// Writes atomically, with a digest. Throws RunError (disk), std::logic_error for a shape that does not fit its
/// values or a name that occurs twice.
void write_safetensors(const std::filesystem::path& file, const Safetensors& content);

/// Reads a file of at most `limit_bytes`. Throws InputError with file and offset: a header that is
/// cut off, no JSON, or names a tensor twice; a type other than F32; shapes that overflow or do not
/// fit their range; ranges that overlap, leave a hole or end beyond the file; a digest that does not
/// fit the content. Files of other programs have no digest and are read without.
[[nodiscard]] Safetensors read_safetensors(const std::filesystem::path& file,
                                           std::uint64_t limit_bytes = std::uint64_t{1} << 34);
/// The same from bytes in memory; `name` stands for the file in messages.
[[nodiscard]] Safetensors parse_safetensors(std::string_view bytes, const std::string& name);

}  // namespace tessera::io
