// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tessera::test {
namespace {

constexpr auto kPatience = std::chrono::minutes(10);  // for programs that hang: a crowded machine is slow

struct Pipe {
  int read_end = -1, write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {ends[0], ends[1]};
}

Pipe make_terminal(unsigned short columns) {
  Pipe terminal;
  winsize size{};
  size.ws_col = columns;
  size.ws_row = 24;
  if (openpty(&terminal.read_end, &terminal.write_end, nullptr, nullptr, &size) != 0) {
    throw std::runtime_error("openpty failed");
  }
  fcntl(terminal.read_end, F_SETFD, FD_CLOEXEC);
  fcntl(terminal.write_end, F_SETFD, FD_CLOEXEC);
  return terminal;
}

// Between fork and exec.
[[noreturn]] void become(char* const* arguments, const ProcessOptions& options, int out, int err) {
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  if (options.largest_file_bytes) {
    const rlimit limit{*options.largest_file_bytes, *options.largest_file_bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (options.address_space_bytes) {
    const rlimit limit{*options.address_space_bytes, *options.address_space_bytes};
    setrlimit(RLIMIT_AS, &limit);
  }
  // Whoever runs the tests may ignore some of them, a shell in the background for example.
  for (const int number : {SIGINT, SIGTERM}) signal(number, SIG_DFL);
  signal(SIGHUP, options.ignore_hangups ? SIG_IGN : SIG_DFL);
  if (options.pending_signal != 0) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, options.pending_signal);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(options.pending_signal);
  }
  setenv("TERM", "xterm", 1);
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  execv(arguments[0], arguments);
  _exit(127);
}

// One read of what is there; false at the end. A terminal whose other side closed reports EIO.
bool read_some(int descriptor, std::string& text) {
  std::array<char, 4096> buffer{};
  ssize_t count = 0;
  do {
    count = read(descriptor, buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return false;
  text.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

void collect(pid_t child, int out, int err, const ProcessOptions& options, Outcome& outcome) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::array<pollfd, 2> watched{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 ||
        poll(watched.data(), watched.size(), static_cast<int>(left.count())) == 0) {
      kill(child, SIGKILL);
      ADD_FAILURE() << "the program did not end within ten minutes; it said: " << outcome.err;
      return;
    }
    if (watched[0].revents != 0 && !read_some(out, outcome.out)) watched[0].fd = -1;
    if (watched[1].revents != 0) {
      if (!read_some(err, outcome.err)) {
        watched[1].fd = -1;
      } else if (options.on_error_output) {
        options.on_error_output(child, outcome.err);
      }
    }
  }
}

}  // namespace

Outcome tessera(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  std::vector<std::string> words{TESSERA_BINARY_DIR "/tessera"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(words, options);
}

Outcome run_program(std::vector<std::string> words, const ProcessOptions& options) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  const Pipe out = options.stdout_terminal ? make_terminal(options.columns) : make_pipe();
  const Pipe err = options.terminal ? make_terminal(options.columns) : make_pipe();
  const int file =
      options.stdout_file.empty() ? -1 : open(options.stdout_file.c_str(), O_WRONLY | O_CLOEXEC);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become(pointers.data(), options, file >= 0 ? file : out.write_end, err.write_end);
  close(out.write_end);
  close(err.write_end);
  if (file >= 0) close(file);

  Outcome outcome;
  collect(child, out.read_end, err.read_end, options, outcome);
  int status = 0;
  waitpid(child, &status, 0);
  close(out.read_end);
  close(err.read_end);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  EXPECT_NE(outcome.exit_code, 127) << words[0] << " could not be started";
  return outcome;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  bool inside = false, quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      inside = false;
    } else {
      if (!inside) words.emplace_back();
      inside = true;
      words.back() += c;
    }
  }
  return words;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "tessera-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::set<std::string> TemporaryFolder::contents() const {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    names.insert(std::filesystem::relative(entry.path(), path_).string());
  }
  return names;
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace tessera::test
