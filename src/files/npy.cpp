// Reading and writing of .npy arrays.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/npy.hpp"

#include <bit>
#include <cstring>
#include <optional>

#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

static_assert(std::endian::native == std::endian::little,
              "npy files are written as they lie in memory");

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr std::size_t kHeaderBytes = 128;      // room for any 2-D shape: it can be patched in place
constexpr std::size_t kLongestNpyHeader = 65536;  // what NumPy itself accepts is far below

// The header is a Python dictionary; this reads just the form that NumPy defines.
class NpyHeaderReader {
 public:
  NpyHeaderReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  void read() {
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && descr_.empty()) {
        descr_ = quoted();
      } else if (key == "fortran_order" && !fortran_) {
        fortran_ = boolean();
      } else if (key == "shape" && !shape_) {
        shape_ = tuple();
      } else {
        fail("unexpected or repeated key '" + key.substr(0, 40) + "' in the header.");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) fail("unexpected text after the header.");
    if (descr_.empty() || !fortran_ || !shape_)
      fail("the header lacks descr, fortran_order or shape.");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(name_ + ": not a readable npy file: " + what);
  }

  std::string descr_;
  std::optional<bool> fortran_;
  std::optional<std::vector<std::size_t>> shape_;

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char letter) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }
  void expect(char letter) {
    if (!accept(letter)) fail(std::string("expected '") + letter + "' in the header.");
  }
  std::string quoted() {
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) {
      fail("expected a quoted text in the header (arrays of records are not supported).");
    }
    const char quote = text_[at_++];
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("a text in the header has no end.");
    std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }
  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    fail("fortran_order is neither True nor False.");
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect('(');
    while (!accept(')')) {
      if (values.size() == 8) fail("the array has too many dimensions.");
      values.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }
  std::size_t number() {
    skip_space();
    std::uint64_t value = 0;
    std::size_t digits = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, ++digits) {
      if (digits == 18) fail("a dimension is too large.");
      value = value * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
    }
    if (digits == 0) fail("a dimension is not a number.");
    return static_cast<std::size_t>(value);
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
};

template <class T>
void convert(const char* data, std::vector<double>& values, const NpyHeaderReader& header) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, data + i * sizeof(T), sizeof(T));
    if constexpr (sizeof(T) == 8 && std::is_integral_v<T>) {
      constexpr auto kExact = std::int64_t{1} << 53;
      const bool below = std::is_signed_v<T> && static_cast<std::int64_t>(value) < -kExact;
      if (below || value > static_cast<T>(kExact)) {
        header.fail("element " + std::to_string(i) + " is an integer beyond 2^53.");
      }
    }
    values[i] = static_cast<double>(value);
  }
}

using Converter = void (*)(const char*, std::vector<double>&, const NpyHeaderReader&);
struct ElementType {
  const char* descr;
  std::size_t bytes;
  Converter convert;
};
constexpr ElementType kTypes[] = {
    {"<f4", 4, convert<float>},         {"<f8", 8, convert<double>},
    {"<i4", 4, convert<std::int32_t>},  {"<i8", 8, convert<std::int64_t>},
    {"<u4", 4, convert<std::uint32_t>}, {"<u8", 8, convert<std::uint64_t>},
    {"<i2", 2, convert<std::int16_t>},  {"<u2", 2, convert<std::uint16_t>},
    {"|i1", 1, convert<std::int8_t>},   {"|u1", 1, convert<std::uint8_t>},
    {"|b1", 1, convert<std::uint8_t>},
};

const ElementType& element_type(const NpyHeaderReader& header) {
  for (const ElementType& type : kTypes) {
    if (header.descr_ == type.descr) return type;
  }
  if (!header.descr_.empty() && header.descr_[0] == '>') {
    header.fail("it is big endian; save it as little endian ('" + header.descr_.substr(0, 20) +
                "').");
  }
  header.fail("element type '" + header.descr_.substr(0, 20) +
              "' is not supported; use float32, float64 or an integer type.");
}

std::string header_text(const char* descr, std::uint64_t values, std::size_t columns) {
  std::string text(kMagic);
  text += '\x01';
  text += '\x00';
  const std::size_t length = kHeaderBytes - 10;
  text += static_cast<char>(length & 0xff);
  text += static_cast<char>(length >> 8);
  text += std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (";
  text += columns == 0 ? std::to_string(values) + ",)"
                       : std::to_string(values / columns) + ", " + std::to_string(columns) + ")";
  text += ", }";
  text.resize(kHeaderBytes - 1, ' ');
  text += '\n';
  return text;
}

template <class T>
void write_array(const std::filesystem::path& file, const char* descr, std::span<const T> values,
                 std::size_t columns) {
  FileWriter writer(file);
  writer.write(header_text(descr, values.size(), columns));
  writer.write(values.data(), values.size_bytes());
  writer.commit();
}

}  // namespace

NpyArray parse_npy(std::string_view bytes, const std::string& name) {
  const auto fail = [&name](const std::string& what) -> void {
    throw InputError(name + ": not a readable npy file: " + what);
  };
  if (bytes.size() < 12 || bytes.substr(0, 6) != kMagic)
    fail("it does not begin with '\\x93NUMPY'.");
  const auto byte = [bytes](std::size_t i) {
    return std::size_t{static_cast<unsigned char>(bytes[i])};
  };
  const std::size_t version = byte(6);
  if (version != 1 && version != 2) fail("its format version is " + std::to_string(version) + ".");
  std::size_t length = byte(8) | byte(9) << 8;
  if (version == 2) length |= byte(10) << 16 | byte(11) << 24;
  const std::size_t begin = version == 1 ? 10 : 12;
  if (length > kLongestNpyHeader || length > bytes.size() - begin)
    fail("its header is cut off or too long.");

  NpyHeaderReader header(bytes.substr(begin, length), name);
  header.read();
  const ElementType& type = element_type(header);
  NpyArray array;
  array.shape = *header.shape_;
  if (array.shape.empty() || array.shape.size() > 2)
    fail("it has " + std::to_string(array.shape.size()) + " dimensions; 1 or 2 are supported.");
  if (*header.fortran_ && array.shape.size() > 1)
    fail("it is in Fortran order; save it in C order.");
  // The bytes that are there bound the allocation; the division keeps the product from overflowing.
  const std::string_view data = bytes.substr(begin + length);
  const std::size_t elements = data.size() / type.bytes;
  const std::size_t rows = array.shape[0];
  const std::size_t columns = array.columns();
  const bool fits = columns == 0 ? rows == 0 : rows <= elements / columns;
  if (!fits || rows * columns != elements || data.size() % type.bytes != 0) {
    fail("its header announces " + std::to_string(rows) + " x " + std::to_string(columns) +
         " elements of " + std::to_string(type.bytes) + " bytes, but " +
         std::to_string(data.size()) + " bytes follow.");
  }
  array.values.resize(elements);
  type.convert(data.data(), array.values, header);
  return array;
}

NpyArray read_npy(const std::filesystem::path& file, std::uint64_t limit_bytes) {
  return parse_npy(read_file(file, limit_bytes), file.string());
}

void write_npy(const std::filesystem::path& file, std::span<const double> values,
               std::size_t columns) {
  write_array(file, "<f8", values, columns);
}
void write_npy(const std::filesystem::path& file, std::span<const float> values,
               std::size_t columns) {
  write_array(file, "<f4", values, columns);
}
void write_npy(const std::filesystem::path& file, std::span<const std::int64_t> values,
               std::size_t columns) {
  write_array(file, "<i8", values, columns);
}
void write_npy(const std::filesystem::path& file, std::span<const std::uint32_t> values,
               std::size_t columns) {
  write_array(file, "<u4", values, columns);
}

NpyStream::NpyStream(const std::filesystem::path& file, std::size_t columns)
    : file_(file), columns_(columns) {
  file_.write(header_text("<f8", 0, columns_));
}

void NpyStream::append(std::span<const double> values) {
  file_.write(values.data(), values.size_bytes());
  values_ += values.size();
}

void NpyStream::commit() {
  const std::string header = header_text("<f8", values_, columns_);
  file_.overwrite(0, header.data(), header.size());
  file_.commit();
}

}  // namespace tessera::io
