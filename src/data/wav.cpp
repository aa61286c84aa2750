// RIFF WAVE files: the chunks "fmt " and "data", 16-bit PCM.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "data/byte_reader.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

// Lengths that stand for "to the end" begin here: programs that write into a pipe use 0,
// 0x7ffff000, 0x80000000 or 0xffffffff.
constexpr std::uint32_t kUnknown = 0x7ffff000;
constexpr std::uint32_t kPcm = 1, kExtensible = 0xfffe;

struct Format {
  std::uint32_t channels = 0, rate = 0;
};

Format parse_format(ByteReader chunk) {
  std::uint32_t code = chunk.little(2, "the chunk 'fmt '");
  Format format;
  format.channels = chunk.little(2, "the chunk 'fmt '");
  format.rate = chunk.little(4, "the chunk 'fmt '");
  (void)chunk.take(6, "the chunk 'fmt '");  // bytes per second, bytes per frame
  const std::uint32_t bits = chunk.little(2, "the chunk 'fmt '");
  if (code == kExtensible && chunk.left() >= 10) {
    (void)chunk.take(8, "the chunk 'fmt '");
    code = chunk.little(2, "the chunk 'fmt '");  // the real code begins the sub-format
  }
  if (code != kPcm || bits != 16) {
    chunk.fail(
        fmt::format("sound of {} bits in coding {} cannot be read, only 16-bit PCM", bits, code));
  }
  if (format.channels < 1 || format.channels > 64) {
    chunk.fail(fmt::format("{} channels are announced", format.channels));
  }
  if (format.rate < 1000 || format.rate > 400'000) {
    chunk.fail(fmt::format("a sampling rate of {} Hz is announced", format.rate));
  }
  return format;
}

std::vector<float> mono(std::string_view data, std::uint32_t channels) {
  const std::size_t frames = data.size() / (2 * std::size_t{channels});
  std::vector<float> samples(frames);
  const auto* at = reinterpret_cast<const unsigned char*>(data.data());
  const float scale = 1.0f / (32768.0f * static_cast<float>(channels));
  for (float& sample : samples) {
    std::int32_t sum = 0;
    for (std::uint32_t c = 0; c < channels; ++c, at += 2) {
      sum += static_cast<std::int16_t>(static_cast<std::uint16_t>(at[0] | at[1] << 8));
    }
    sample = static_cast<float>(sum) * scale;
  }
  return samples;
}

// Whether nothing but whole chunks follows: then a data chunk of length 0 before them is empty, and
// what follows it (titles, cue marks) is no sound.
bool only_chunks(std::string_view rest) {
  constexpr std::size_t kHeader = 8;
  while (rest.size() >= kHeader) {
    for (const char letter : rest.substr(0, 4)) {
      if (letter < ' ' || letter > '~') return false;
    }
    ByteReader header(rest, "");
    (void)header.take(4, "");
    const std::uint64_t size = header.little(4, "");
    if (size > rest.size() - kHeader) return false;
    rest.remove_prefix(std::min<std::size_t>(kHeader + size + size % 2, rest.size()));
  }
  return rest.empty();
}

}  // namespace

Sound parse_wav(std::string_view bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  if (reader.take(4, "the header") != "RIFF") throw_damaged(name, 0, "it is not a RIFF file");
  (void)reader.take(4, "the header");  // the length; some programs leave it at 0
  if (reader.take(4, "the header") != "WAVE") throw_damaged(name, 8, "it is not a WAVE file");
  Format format;
  while (reader.left() > 0) {
    const std::string_view id = reader.take(4, "a chunk's name");
    const std::uint32_t size = reader.little(4, "a chunk's size");
    const std::size_t at = reader.offset();
    const bool streamed =
        id == "data" && (size >= kUnknown || (size == 0 && !only_chunks(bytes.substr(at))));
    const std::string_view body = reader.take(streamed ? reader.left() : size, "a chunk");
    if (id == "fmt ") {
      ByteReader chunk(bytes.substr(0, at + size), name);  // offsets in messages are the file's
      (void)chunk.take(at, "the chunk 'fmt '");
      format = parse_format(chunk);
    } else if (id == "data") {
      if (format.channels == 0) throw_damaged(name, at, "the sound comes before its format");
      if (body.size() < 2 * std::size_t{format.channels})
        throw_damaged(name, at, "it holds no sound");
      return {static_cast<double>(format.rate), mono(body, format.channels)};
    }
    if (size % 2 == 1 && reader.left() > 0) (void)reader.take(1, "a chunk");  // padding
  }
  reader.fail("there is no chunk 'data'");
}

}  // namespace tessera::training
