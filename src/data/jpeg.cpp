// JPEG images through libjpeg. Its errors leave by longjmp: no object with a destructor is alive in
// the function that it jumps over.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
// After <cstdio>, which it needs.
#include <jpeglib.h>

#include <algorithm>

#include "data/byte_reader.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr unsigned kMostSide = 1024;
constexpr long kMostMemory = 256L << 20;
constexpr int kMostScans = 100;  // a small progressive file can ask for thousands

struct ErrorManager {
  jpeg_error_mgr base;  // must be first: libjpeg sees a pointer to it
  jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  errors->base.format_message(info, errors->message);
  longjmp(errors->jump, 1);
}

// Warnings are damage too (a truncated file is one), and nothing is printed.
void refuse_warning(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}
void stay_silent(j_common_ptr) {}

void stop_endless_scans(j_common_ptr info) {
  auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (decompress->input_scan_number > kMostScans) {
    info->err->msg_code = 0;
    leave(info);
  }
}

struct Bytes {
  const unsigned char* data;
  unsigned long size;
};

// Everything the decoder needs that has no destructor. `pixels` is malloc'ed: it must survive a
// jump.
struct Decoder {
  jpeg_decompress_struct info;
  ErrorManager errors;
  jpeg_progress_mgr progress;
  unsigned char* pixels;
  unsigned height, width;
  std::size_t left;  // bytes that were not used when an error stopped it
};

// False with a message in decoder.errors.
bool decode(Decoder& decoder, Bytes bytes) {
  if (setjmp(decoder.errors.jump) != 0) {
    if (decoder.info.src != nullptr) decoder.left = decoder.info.src->bytes_in_buffer;
    jpeg_destroy_decompress(&decoder.info);
    return false;
  }
  jpeg_decompress_struct& info = decoder.info;
  jpeg_create_decompress(&info);
  info.mem->max_memory_to_use = kMostMemory;
  info.progress = &decoder.progress;
  jpeg_mem_src(&info, bytes.data, bytes.size);
  jpeg_read_header(&info, TRUE);
  if (info.image_width > kMostSide || info.image_height > kMostSide) {
    std::snprintf(decoder.errors.message, sizeof decoder.errors.message,
                  "it announces %u x %u pixels, more than %u x %u", info.image_height,
                  info.image_width, kMostSide, kMostSide);
    jpeg_destroy_decompress(&info);
    return false;
  }
  info.out_color_space = JCS_RGB;
  info.dct_method = JDCT_ISLOW;  // the same pixels with every build of the library
  jpeg_start_decompress(&info);
  decoder.height = info.output_height;
  decoder.width = info.output_width;
  const std::size_t row = std::size_t{info.output_width} * 3;
  decoder.pixels = static_cast<unsigned char*>(std::malloc(row * info.output_height));
  if (decoder.pixels == nullptr) {
    std::snprintf(decoder.errors.message, sizeof decoder.errors.message,
                  "there is too little memory");
    jpeg_destroy_decompress(&info);
    return false;
  }
  while (info.output_scanline < info.output_height) {
    unsigned char* line = decoder.pixels + row * info.output_scanline;
    jpeg_read_scanlines(&info, &line, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

}  // namespace

Image parse_jpeg(std::string_view bytes, const std::string& name) {
  Decoder decoder{};
  decoder.info.err = jpeg_std_error(&decoder.errors.base);
  decoder.errors.base.error_exit = leave;
  decoder.errors.base.emit_message = refuse_warning;
  decoder.errors.base.output_message = stay_silent;
  decoder.progress.progress_monitor = stop_endless_scans;
  // libjpeg may ask for bytes beyond the end only through its source manager, which jpeg_mem_src
  // bounds.
  const bool whole =
      decode(decoder, {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
  Image image;
  std::string message;
  if (whole) {
    image.height = decoder.height;
    image.width = decoder.width;
    image.rgb.assign(decoder.pixels,
                     decoder.pixels + std::size_t{3} * decoder.height * decoder.width);
  } else {
    message = decoder.errors.message;
  }
  std::free(decoder.pixels);
  if (!whole) throw_damaged(name, bytes.size() - std::min(decoder.left, bytes.size()), message);
  return image;
}

}  // namespace tessera::training
