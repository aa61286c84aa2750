// The completion scripts: bash runs its own and is asked what it would propose.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <regex>
#include <set>
#include <sstream>

#include "cli/process.hpp"
#include "cli/small_model.hpp"

namespace tessera::test {
namespace {

using Candidates = std::set<std::string>;

// What a shell command writes on standard output and error.
std::string output_of(const std::string& command, int* status = nullptr) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), n);
  const int code = pclose(pipe);
  if (status != nullptr) *status = code;
  return text;
}

class Completion : public testing::Test {
 protected:
  Completion() {
    write_text(folder_ / "script.bash", tessera({"completion", "bash"}).out);
    std::filesystem::create_directories(folder_.path() / "work" / "sub folder");
    write_text(folder_.path() / "work" / "model.toml", kSmallModel);
    write_text(folder_.path() / "work" / "notes.txt", "");
  }
  // The words as bash splits them; the last is the one to complete.
  Candidates candidates(const std::vector<std::string>& words) {
    std::ostringstream script;
    script << "cd '" << folder_ / "work"
           << "'\nsource '" << folder_ / "script.bash"
           << "'\n"
           << "COMP_WORDS=('" << TESSERA_BINARY_DIR << "/tessera'";
    for (const std::string& word : words) script << " '" << word << "'";
    script << ")\nCOMP_CWORD=" << words.size() << "\n_tessera\n"
           << "for reply in \"${COMPREPLY[@]}\"; do echo \"$reply\"; done\n";
    write_text(folder_ / "ask.bash", script.str());
    std::istringstream lines(output_of("bash '" + (folder_ / "ask.bash") + "'"));
    Candidates found;
    for (std::string line; std::getline(lines, line);) found.insert(line);
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(Completion, Commands) {
  EXPECT_EQ(candidates({"ru"}), Candidates{"run"});
  EXPECT_EQ(candidates({"p"}), (Candidates{"partition", "plan", "plot"}));
  EXPECT_EQ(candidates({"--v"}), Candidates{"--version"});
  EXPECT_EQ(candidates({"x"}), Candidates{});
}

TEST_F(Completion, OptionsAndTheirValues) {
  EXPECT_EQ(candidates({"run", "--conn"}), Candidates{"--connectivity"});
  EXPECT_EQ(candidates({"run", "--connectivity", ""}),
            (Candidates{"stored", "procedural", "auto"}));
  EXPECT_EQ(candidates({"run", "--connectivity", "=", "p"}), Candidates{"procedural"});
  EXPECT_EQ(candidates({"run", "--precision", "="}), (Candidates{"fast", "exact"}));
  EXPECT_EQ(candidates({"run", "model.toml", "--quiet", "--precision", "e"}), Candidates{"exact"});
  EXPECT_EQ(candidates({"plot", "r", "loss", "--out"}), Candidates{"--output"});
  EXPECT_EQ(candidates({"run", "--simd", "sca"}), Candidates{"scalar"});
  EXPECT_EQ(candidates({"run", "--seed", ""}), Candidates{});  // any number
  EXPECT_EQ(candidates({"stats", "--connect"}), Candidates{});
}

// Nothing was forgotten: what --help shows is what is proposed.
TEST_F(Completion, ProposesEveryOptionOfTheHelp) {
  const std::string commands = tessera({"--help"}).out;
  const std::regex command("\n  ([a-z]+) "), option("(--[a-z]+(-[a-z]+)*)");
  int checked = 0;
  for (std::sregex_iterator c(commands.begin(), commands.end(), command), end; c != end; ++c) {
    const std::string name = (*c)[1];
    if (name == "tessera") continue;  // the example
    std::string help = tessera({name, "--help"}).out;
    help.resize(help.find("Example:"));
    help.erase(0, help.find("Options:"));  // mentions of other options are in descriptions
    Candidates shown;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
      std::smatch found;
      const std::string head = line.substr(0, 34);
      if (std::regex_search(head, found, option)) shown.insert(found[1]);
    }
    EXPECT_FALSE(shown.empty()) << name;
    EXPECT_EQ(candidates({name, "--"}), shown) << name;
    ++checked;
  }
  EXPECT_GE(checked, 11);
}

TEST_F(Completion, FilesFoldersAndNames) {
  EXPECT_EQ(candidates({"run", ""}), (Candidates{"model.toml", "sub folder"}));
  EXPECT_EQ(candidates({"stats", ""}), Candidates{"sub folder"});
  EXPECT_EQ(candidates({"run", "--resume", "n"}), Candidates{"notes.txt"});
  EXPECT_EQ(candidates({"plot", "results", "r"}), (Candidates{"raster", "rates"}));
  EXPECT_EQ(candidates({"models", "iaf_c"}), Candidates{"iaf_cond_exp"});
  EXPECT_EQ(candidates({"models", "stdp_p"}), Candidates{"stdp_power_law"});
  EXPECT_EQ(candidates({"data", "info", "yin"}), Candidates{"yin_yang"});
  EXPECT_EQ(candidates({"completion", ""}), (Candidates{"bash", "zsh"}));
}

TEST_F(Completion, ProjectionsOfTheModel) {
  EXPECT_EQ(candidates({"synapses", "model.toml", "to"}), (Candidates{"to_I", "to_E"}));
  // Options and their values before it are no positionals; bash makes a word of "=".
  EXPECT_EQ(
      candidates({"synapses", "--set", "amplitude", "=", "3", "--degrees", "model.toml", "to_I"}),
      Candidates{"to_I"});
  EXPECT_EQ(candidates({"synapses", "nowhere.toml", ""}), Candidates{});
}

TEST_F(Completion, ZshGetsEveryCommandAndIsValidWhereZshIsThere) {
  const std::string script = tessera({"completion", "zsh"}).out;
  EXPECT_EQ(script.rfind("#compdef tessera\n", 0), 0u);
  for (const char* part : {"'run:Simulate", "'--connectivity[", ":(stored procedural auto)'",
                           "_files -g \"*.toml\"", "'2:", "_tessera_projections", "_files -/"}) {
    EXPECT_NE(script.find(part), std::string::npos) << part;
  }
  if (output_of("command -v zsh").empty())
    GTEST_SKIP() << "no zsh here: only the text was looked at";
  write_text(folder_ / "_tessera", script);
  int status = -1;
  EXPECT_EQ(output_of("zsh -n '" + (folder_ / "_tessera") + "'", &status), "");
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace tessera::test
