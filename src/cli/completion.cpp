// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/values.hpp"
#include "tessera/data.hpp"
#include "tessera/neuron_model.hpp"
#include "tessera/simd_control.hpp"

namespace tessera::cli {
namespace {

// What can be typed in one place.
struct Place {
  enum class Kind { flag, free, words, files, models, folders, projections };
  Kind kind = Kind::free;
  std::vector<std::string> names;  // of an option; empty for a positional
  std::vector<std::string> words;  // also beside files
  std::string placeholder, help;
  bool repeatable = false;
};

struct CommandInfo {
  std::string name, help;
  std::vector<Place> options, positionals;
};

// "stored|procedural|auto" is a choice, "NAME|FILE" is not.
std::vector<std::string> choices_of(const std::string& placeholder) {
  if (placeholder.find('|') == std::string::npos) return {};
  std::vector<std::string> words{""};
  for (const char c : placeholder) {
    if (c >= 'A' && c <= 'Z') return {};
    if (c == '|') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::vector<std::string> names_of_models() {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  std::vector<std::string> names = catalogue.names();
  for (const auto& rules : {catalogue.rule_names(), catalogue.structural_rule_names()}) {
    names.insert(names.end(), rules.begin(), rules.end());
  }
  return names;
}

Place place_of(const CLI::Option& option, const std::string& command) {
  Place place;
  place.help = option.get_description();
  for (const std::string& name : option.get_snames()) place.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) place.names.push_back("--" + name);
  place.placeholder = option.get_type_name();
  place.repeatable = option.get_multi_option_policy() == CLI::MultiOptionPolicy::Throw;
  place.words = choices_of(place.placeholder);
  const std::string name = option.get_name(option.get_positional());
  if (option.get_items_expected_max() == 0) {
    place.kind = Place::Kind::flag;
  } else if (name == "MODEL") {
    place.kind = Place::Kind::models;
  } else if (name == "PROJECTION") {
    place.kind = Place::Kind::projections;
  } else if (name == "DATASET") {
    place.kind = Place::Kind::models;
    place.words = training::dataset_names();
  } else if (place.placeholder == "FILE" || place.placeholder == "DIR|FILE") {
    place.kind = Place::Kind::files;
  } else if (place.placeholder == "DIR") {
    place.kind = Place::Kind::folders;
  } else {
    if (command == "models") place.words = names_of_models();
    if (name == "--simd") place.words = simd_targets();
    place.kind = place.words.empty() ? Place::Kind::free : Place::Kind::words;
  }
  return place;
}

std::vector<CommandInfo> commands_of(const CLI::App& app) {
  std::vector<CommandInfo> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandInfo info{command->get_name(), command->get_description(), {}, {}};
    for (const CLI::Option* option : command->get_options()) {
      (option->get_positional() ? info.positionals : info.options)
          .push_back(place_of(*option, info.name));
    }
    commands.push_back(std::move(info));
  }
  return commands;
}

// ---- bash ----

constexpr const char* kBashFunctions = R"script(
# Every candidate that begins with the word, quoted where a shell needs it.
_tessera_words() {
  local candidate
  for candidate in "$@"; do
    [[ $candidate == "$word"* ]] && COMPREPLY+=("$(printf '%q' "$candidate")")
  done
}
# Folders, and files whose names end in $1.
_tessera_files() {
  local found
  compopt -o filenames 2>/dev/null
  mapfile -t found < <(compgen -d -- "$word"; [[ $1 == / ]] || compgen -f -X "!*$1" -- "$word")
  COMPREPLY+=("${found[@]}")
}
_tessera_projections() {
  local names
  mapfile -t names < <("${COMP_WORDS[0]}" synapses "$model" 2>/dev/null | sed -n '2,/^$/s/ .*//p')
  _tessera_words "${names[@]}"
}
)script";

// The loop that counts positionals knows that bash makes words of their own of "=" in "--set a=1".
constexpr const char* kBashMain = R"script(
_tessera() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local model='' positional=0 i
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _tessera_words $_tessera_commands --help --version
    return
  fi
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $before == '=' ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  _tessera_value "$command $before" && return
  if [[ $word == -* ]]; then
    _tessera_option "$command"
    return
  fi
  for ((i = 2; i < COMP_CWORD; ++i)); do
    if [[ ${COMP_WORDS[i]} == '=' ]]; then
      ((++i))
    elif [[ ${COMP_WORDS[i]} == -* ]]; then
      [[ ${COMP_WORDS[i+1]} == '=' ]] && continue
      _tessera_value "$command ${COMP_WORDS[i]}" && ((++i))
      COMPREPLY=()
    else
      ((positional++ == 0)) && model=${COMP_WORDS[i]}
    fi
  done
  _tessera_positional "$command $positional"
}
complete -F _tessera tessera
)script";

std::string bash_quoted(const std::vector<std::string>& words) {
  return words.empty() ? "" : fmt::format(" '{}'", fmt::join(words, "' '"));
}

// The commands that propose what fits a place.
std::string bash_action(const Place& place) {
  std::vector<std::string> parts;
  if (!place.words.empty()) parts.push_back("_tessera_words" + bash_quoted(place.words));
  if (place.kind == Place::Kind::files) parts.push_back("_tessera_files ''");
  if (place.kind == Place::Kind::models) parts.push_back("_tessera_files .toml");
  if (place.kind == Place::Kind::folders) parts.push_back("_tessera_files /");
  if (place.kind == Place::Kind::projections) parts.push_back("_tessera_projections");
  if (parts.empty()) parts.push_back(":");
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string bash_script(const std::vector<CommandInfo>& commands) {
  std::string names, values, options, positionals;
  for (const CommandInfo& command : commands) {
    names += (names.empty() ? "" : " ") + command.name;
    std::vector<std::string> all;
    for (const Place& place : command.options) {
      all.insert(all.end(), place.names.begin(), place.names.end());
      if (place.kind == Place::Kind::flag) continue;
      std::string patterns;
      for (const std::string& name : place.names) {
        patterns += fmt::format("{}'{} {}'", patterns.empty() ? "" : "|", command.name, name);
      }
      values += fmt::format("    {}) {} ;;\n", patterns, bash_action(place));
    }
    options += fmt::format("    {}) _tessera_words{} ;;\n", command.name, bash_quoted(all));
    for (std::size_t i = 0; i < command.positionals.size(); ++i) {
      positionals +=
          fmt::format("    '{} {}') {} ;;\n", command.name, i, bash_action(command.positionals[i]));
    }
  }
  return fmt::format(
      "# Completion of tessera in bash, made by 'tessera completion bash'.\n"
      "_tessera_commands='{}'\n{}"
      "# The value of an option; fails when it takes none.\n"
      "_tessera_value() {{\n  case $1 in\n{}    *) return 1 ;;\n  esac\n  return 0\n}}\n"
      "_tessera_option() {{\n  case $1 in\n{}  esac\n}}\n"
      "_tessera_positional() {{\n  case $1 in\n{}  esac\n}}\n{}",
      names, kBashFunctions, values, options, positionals, kBashMain);
}

// ---- zsh ----

constexpr const char* kZshFunctions = R"script(
_tessera_projections() {
  local -a names
  names=(${(f)"$(tessera synapses ${words[(r)*.toml]} 2>/dev/null | sed -n '2,/^$/s/ .*//p')"})
  compadd -a names
}
)script";

// Inside '...[here]...:here:': what _arguments would take for its own is escaped.
std::string zsh_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh_action(const Place& place) {
  const std::string words = fmt::format("{}", fmt::join(place.words, " "));
  switch (place.kind) {
    case Place::Kind::files:
      return "_files";
    case Place::Kind::models:
      return place.words.empty()
                 ? "_files -g \"*.toml\""
                 : fmt::format(
                       "_alternative \"words\\:name\\:({})\" \"files\\:file\\:_files -g \\*.toml\"",
                       words);
    case Place::Kind::folders:
      return "_files -/";
    case Place::Kind::projections:
      return "_tessera_projections";
    case Place::Kind::words:
      return "(" + words + ")";
    default:
      return "";
  }
}

std::string zsh_script(const std::vector<CommandInfo>& commands) {
  std::string names, cases;
  for (const CommandInfo& command : commands) {
    names += fmt::format("      '{}:{}'\n", command.name, zsh_escaped(command.help));
    cases += fmt::format("    {})\n      _arguments", command.name);
    for (const Place& place : command.options) {
      for (const std::string& name : place.names) {
        cases += fmt::format(" \\\n        '{}{}[{}]", place.repeatable ? "*" : "", name,
                             zsh_escaped(place.help));
        if (place.kind != Place::Kind::flag) {
          cases += fmt::format(":{}:{}", zsh_escaped(place.placeholder), zsh_action(place));
        }
        cases += "'";
      }
    }
    for (std::size_t i = 0; i < command.positionals.size(); ++i) {
      const Place& place = command.positionals[i];
      cases +=
          fmt::format(" \\\n        '{}:{}:{}'", i + 1, zsh_escaped(place.help), zsh_action(place));
    }
    cases += "\n      ;;\n";
  }
  return fmt::format(
      "#compdef tessera\n# Completion of tessera in zsh, made by 'tessera completion zsh'.\n{}"
      "_tessera() {{\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n{}    )\n"
      "    _describe command commands\n    _arguments '--help[]' '--version[]'\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n{}  "
      "esac\n}}\n"
      "# As a file of $fpath this is the body of the function; otherwise it is read once.\n"
      "if [[ $funcstack[1] == _tessera ]]; then\n  _tessera \"$@\"\nelse\n  compdef _tessera "
      "tessera\nfi\n",
      kZshFunctions, names, cases);
}

}  // namespace

int completion(const CLI::App& app, const CompletionArguments& arguments) {
  Problems problems;
  require_given(arguments.shell, "SHELL", "tessera completion bash", problems);
  std::optional<std::size_t> shell;
  if (arguments.shell) shell = parse_choice(*arguments.shell, {"bash", "zsh"}, "SHELL", problems);
  problems.raise();
  const std::vector<CommandInfo> commands = commands_of(app);
  fmt::print("{}", *shell == 0 ? bash_script(commands) : zsh_script(commands));
  return kOk;
}

}  // namespace tessera::cli
