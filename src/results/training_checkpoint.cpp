// Weights and checkpoints of a training, as safetensors.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <string_view>

#include "files/safetensors.hpp"
#include "results/training_metrics.hpp"
#include "tessera/training_result.hpp"

namespace tessera::training {
namespace {

constexpr const char* kCheckpointFormat = "tessera training checkpoint 1";
constexpr const char* kWeightsFormat = "tessera weights 1";
constexpr std::string_view kParameter = "parameter/", kState = "state/";

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw InputError(fmt::format("{}: {}", file.string(), what));
}

const std::string& entry(const io::Safetensors& content, const std::string& key,
                         const std::filesystem::path& file) {
  const auto found = content.metadata.find(key);
  if (found == content.metadata.end())
    fail(file, fmt::format("this was not written by a training: its '{}' is missing.", key));
  return found->second;
}

// Only trainings write these formats, and all of them write a digest.
void require_digest(const io::Safetensors& content, const std::filesystem::path& file) {
  if (content.has_digest) return;
  fail(file, "it carries no digest: an earlier version of Tessera or another program wrote it, or "
             "it is damaged. Train again.");
}

template <class Number>
Number number_of(const io::Safetensors& content, const std::string& key, int base,
                 const std::filesystem::path& file) {
  const std::string& text = entry(content, key, file);
  Number number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || rest != text.data() + text.size())
    fail(file, fmt::format("its '{}' is not a number.", key));
  return number;
}

std::vector<Tensor> with_prefix(std::string_view prefix, const std::vector<Tensor>& tensors) {
  std::vector<Tensor> named = tensors;
  for (Tensor& tensor : named) tensor.name.insert(0, prefix);
  return named;
}

}  // namespace

std::uint64_t weights_digest(const std::vector<Tensor>& parameters) {
  std::uint64_t digest = 0xcbf29ce484222325ULL;  // FNV-1a over 32-bit patterns
  for (const Tensor& tensor : parameters) {
    for (const float value : tensor.values) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      digest = (digest ^ bits) * 0x100000001b3ULL;
    }
  }
  return digest;
}

void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  io::Safetensors content;
  content.tensors = with_prefix(kParameter, checkpoint.parameters);
  for (Tensor& tensor : with_prefix(kState, checkpoint.state))
    content.tensors.push_back(std::move(tensor));
  content.metadata = {{"format", kCheckpointFormat},
                      {"epoch", std::to_string(checkpoint.epochs.size())},
                      {"best_epoch", std::to_string(checkpoint.best_epoch)},
                      {"model_digest", fmt::format("{:016x}", checkpoint.model_digest)},
                      {"data_digest", fmt::format("{:016x}", checkpoint.data_digest)},
                      {"metrics", io::metrics_json(checkpoint.epochs).dump()}};
  io::write_safetensors(file, content);
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  io::Safetensors content = io::read_safetensors(file);
  if (entry(content, "format", file) != kCheckpointFormat)
    fail(file, "this is not a checkpoint of a training.");
  require_digest(content, file);
  Checkpoint checkpoint;
  checkpoint.model_digest = number_of<std::uint64_t>(content, "model_digest", 16, file);
  checkpoint.data_digest = number_of<std::uint64_t>(content, "data_digest", 16, file);
  checkpoint.best_epoch = number_of<std::uint32_t>(content, "best_epoch", 10, file);
  checkpoint.epochs = io::parse_metrics(entry(content, "metrics", file), file.string());
  if (checkpoint.epochs.size() != number_of<std::uint32_t>(content, "epoch", 10, file))
    fail(file, "this checkpoint has metrics of another number of epochs than it says.");
  for (Tensor& tensor : content.tensors) {
    const bool is_state = tensor.name.starts_with(kState);
    if (!is_state && !tensor.name.starts_with(kParameter))
      fail(file, fmt::format("the tensor '{:.80}' belongs to no checkpoint.", tensor.name));
    tensor.name.erase(0, is_state ? kState.size() : kParameter.size());
    (is_state ? checkpoint.state : checkpoint.parameters).push_back(std::move(tensor));
  }
  return checkpoint;
}

void save_weights(const std::filesystem::path& file, const std::vector<Tensor>& parameters,
                  std::uint64_t model_digest, std::uint32_t epoch) {
  io::write_safetensors(file, {parameters,
                               {{"format", kWeightsFormat},
                                {"epoch", std::to_string(epoch)},
                                {"model_digest", fmt::format("{:016x}", model_digest)}}});
}

Weights load_weights(const std::filesystem::path& file) {
  io::Safetensors content = io::read_safetensors(file);
  if (entry(content, "format", file) != kWeightsFormat)
    fail(file, "these are not the weights of a training.");
  require_digest(content, file);
  Weights weights;
  weights.model_digest = number_of<std::uint64_t>(content, "model_digest", 16, file);
  weights.epoch = number_of<std::uint32_t>(content, "epoch", 10, file);
  weights.parameters = std::move(content.tensors);
  return weights;
}

}  // namespace tessera::training
