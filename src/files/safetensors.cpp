// Writes and reads safetensors files. Everything in a file that is read is checked before it is
// used.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "files/digest.hpp"
#include "files/file.hpp"

namespace tessera::io {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using training::Tensor;

static_assert(std::endian::native == std::endian::little,
              "tensors are written as they lie in memory");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = std::uint64_t{16} << 20;
constexpr std::size_t kMostDimensions = 16;
constexpr int kDeepestHeader = 4;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kDigestKey = "tessera_digest";

[[noreturn]] void fail_at_byte(const std::string& name, std::uint64_t offset, const std::string& what) {
  throw InputError(
      fmt::format("{}: this safetensors file is damaged at byte {}: {}", name, offset, what));
}

std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > UINT64_MAX / b) return std::nullopt;
  return a * b;
}

std::string digest_of_content(const Safetensors& content) {
  std::vector<const Tensor*> tensors;
  for (const Tensor& tensor : content.tensors) tensors.push_back(&tensor);
  std::sort(tensors.begin(), tensors.end(),
            [](const Tensor* a, const Tensor* b) { return a->name < b->name; });
  Digest digest;
  digest.add_number(tensors.size());
  for (const Tensor* tensor : tensors) {
    digest.add_text(tensor->name);
    digest.add_number(tensor->shape.size());
    for (const std::uint64_t length : tensor->shape) digest.add_number(length);
    digest.add(tensor->values.data(), tensor->values.size() * sizeof(float));
  }
  for (const auto& [key, text] : content.metadata) {
    digest.add_text(key);
    digest.add_text(text);
  }
  return digest.text();
}

std::string header_text(const Safetensors& content) {
  ordered_json header = ordered_json::object();
  header[kMetadata] = content.metadata;
  header[kMetadata][kDigestKey] = digest_of_content(content);
  std::uint64_t begin = 0;
  for (const Tensor& tensor : content.tensors) {
    std::uint64_t elements = 1;
    for (const std::uint64_t length : tensor.shape) elements *= length;
    if (elements != tensor.values.size() || header.contains(tensor.name)) {
      throw std::logic_error("safetensors: '" + tensor.name + "' is there twice or misshapen");
    }
    const std::uint64_t end = begin + elements * sizeof(float);
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data is aligned
  return text;
}

// A JSON object in which no key occurs twice, nested no deeper than a header is.
json parse_header(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDeepestHeader) fail_at_byte(name, kLengthBytes, "its header is nested too deeply.");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      fail_at_byte(name, kLengthBytes,
           fmt::format("its header has the key {} twice.", parsed.dump(-1, ' ', true)));
    }
    return true;
  };
  try {
    json header = json::parse(text, check);
    // The format pads a header with blanks; whatever else the parser overlooks was a blank once.
    const std::size_t end = text.rfind('}') + 1;  // 0: no object, as is said later
    if (end > 0 && text.find_first_not_of(' ', end) != std::string_view::npos) {
      fail_at_byte(name, kLengthBytes, "its header is padded with something else than blanks.");
    }
    return header;
  } catch (const json::parse_error& error) {
    fail_at_byte(name, kLengthBytes + std::max<std::size_t>(error.byte, 1) - 1, "its header is not JSON.");
  } catch (const json::exception&) {
    fail_at_byte(name, kLengthBytes, "its header holds a number that is too large.");
  }
}

struct Entry {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

// Reads the entries of a header. Offsets in messages are those of the header: JSON has no others.
class HeaderReader {
 public:
  HeaderReader(const json& header, std::string file) : header_(header), file_(std::move(file)) {}

  std::vector<Entry> entries(std::map<std::string, std::string>& metadata) {
    if (!header_.is_object()) refuse("its header is not an object.");
    std::vector<Entry> entries;
    for (const auto& [name, value] : header_.items()) {
      if (name == kMetadata) {
        read_metadata(value, metadata);
      } else {
        entries.push_back(read_entry(name, value));
      }
    }
    const auto place = [](const Entry& e) { return std::pair(e.begin, e.end); };
    std::stable_sort(entries.begin(), entries.end(),
                     [&](const Entry& a, const Entry& b) { return place(a) < place(b); });
    return entries;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { fail_at_byte(file_, kLengthBytes, what); }

  void read_metadata(const json& value, std::map<std::string, std::string>& metadata) const {
    if (!value.is_object()) refuse("its __metadata__ is not an object.");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) refuse(fmt::format("the metadata '{:.80}' is not a text.", key));
      metadata[key] = text.get<std::string>();
    }
  }

  Entry read_entry(const std::string& name, const json& value) const {
    const std::string tensor = fmt::format("tensor '{:.80}'", name);
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
        !value.contains("shape") || !value.contains("data_offsets")) {
      refuse(fmt::format("{} needs dtype, shape and data_offsets, and nothing else.", tensor));
    }
    const json& type = value["dtype"];
    if (type != "F32") {
      refuse(fmt::format("{} has the type {:.40}; only F32 is read.", tensor,
                         type.dump(-1, ' ', true)));
    }
    Entry entry{name, {}, 0, 0};
    std::uint64_t elements = 1;
    if (!value["shape"].is_array() || value["shape"].size() > kMostDimensions) {
      refuse(fmt::format("the shape of {} is not a list of at most {} numbers.", tensor,
                         kMostDimensions));
    }
    for (const json& length : value["shape"]) {
      if (!length.is_number_unsigned())
        refuse(fmt::format("the shape of {} is not a list of sizes.", tensor));
      entry.shape.push_back(length.get<std::uint64_t>());
      const auto all = product(elements, entry.shape.back());
      if (!all) refuse(fmt::format("the shape of {} overflows.", tensor));
      elements = *all;
    }
    const json& range = value["data_offsets"];
    if (!range.is_array() || range.size() != 2 || !range[0].is_number_unsigned() ||
        !range[1].is_number_unsigned()) {
      refuse(fmt::format("the data_offsets of {} are not two numbers.", tensor));
    }
    entry.begin = range[0].get<std::uint64_t>();
    entry.end = range[1].get<std::uint64_t>();
    const auto bytes = product(elements, sizeof(float));
    if (entry.end < entry.begin || !bytes || *bytes != entry.end - entry.begin) {
      refuse(fmt::format("{} has {} elements of 4 bytes, but its range is {} to {}.", tensor,
                         elements, entry.begin, entry.end));
    }
    return entry;
  }

  const json& header_;
  std::string file_;
};

// The ranges must follow each other without a hole, and end where the file ends.
void check_cover(const std::vector<Entry>& entries, std::uint64_t data_bytes, std::uint64_t base,
                 const std::string& name) {
  std::uint64_t reached = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != reached) {
      fail_at_byte(name, base + std::min(reached, data_bytes),
           fmt::format("tensor '{:.80}' begins at {} of the data, but the one before ends at {}.",
                       entry.name, entry.begin, reached));
    }
    if (entry.end > data_bytes) {
      fail_at_byte(name, base + data_bytes,
           fmt::format(
               "the file ends inside tensor '{:.80}': {} bytes of data are there, it needs {}.",
               entry.name, data_bytes, entry.end));
    }
    reached = entry.end;
  }
  if (reached != data_bytes) {
    fail_at_byte(name, base + reached,
         fmt::format("{} bytes follow that belong to no tensor.", data_bytes - reached));
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& file, const Safetensors& content) {
  const std::string header = header_text(content);
  const std::uint64_t length = header.size();
  FileWriter writer(file);
  writer.write(&length, sizeof length);
  writer.write(header);
  for (const Tensor& tensor : content.tensors) {
    writer.write(tensor.values.data(), tensor.values.size() * sizeof(float));
  }
  writer.commit();
}

Safetensors parse_safetensors(std::string_view bytes, const std::string& name) {
  if (bytes.size() < kLengthBytes) {
    fail_at_byte(name, bytes.size(), "the file ends before the length of its header.");
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > bytes.size() - kLengthBytes || length > kLongestHeader) {
    fail_at_byte(name, 0,
         fmt::format("its header is said to have {} bytes; {} follow, and at most {} are read.",
                     length, bytes.size() - kLengthBytes, kLongestHeader));
  }
  const json header = parse_header(bytes.substr(kLengthBytes, length), name);
  const std::string_view data = bytes.substr(kLengthBytes + length);
  Safetensors content;
  const std::vector<Entry> entries = HeaderReader(header, name).entries(content.metadata);
  check_cover(entries, data.size(), kLengthBytes + length, name);
  for (const Entry& entry : entries) {
    Tensor& tensor = content.tensors.emplace_back();
    tensor.name = entry.name;
    tensor.shape = entry.shape;
    tensor.values.resize((entry.end - entry.begin) / sizeof(float));
    if (!tensor.values.empty()) {
      std::memcpy(tensor.values.data(), data.data() + entry.begin, entry.end - entry.begin);
    }
  }
  const auto digest = content.metadata.find(kDigestKey);
  if (digest == content.metadata.end()) return content;
  const std::string expected = digest->second;
  content.metadata.erase(digest);
  if (expected != digest_of_content(content)) {
    fail_at_byte(name, kLengthBytes, "its digest is not that of its content.");
  }
  content.has_digest = true;
  return content;
}

Safetensors read_safetensors(const std::filesystem::path& file, std::uint64_t limit_bytes) {
  return parse_safetensors(read_file(file, limit_bytes), file.string());
}

}  // namespace tessera::io
