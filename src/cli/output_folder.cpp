// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/output_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "cli/text.hpp"

namespace tessera::cli {

namespace fs = std::filesystem;

namespace {

struct flock whole_file() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

// Locks of an open file description: they are not lost when the process closes another descriptor.
bool held_by_another(int descriptor) {
  struct flock lock = whole_file();
  return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::string in_use(const fs::path& folder) {
  std::string process;
  std::ifstream(folder / kLockFile) >> process;
  return fmt::format("'{}' is being written by another tessera (process {}); wait until it ends, or "
                     "choose another folder.",
                     folder.string(), process.empty() ? "unknown" : process);
}

bool is_in_use(const fs::path& folder) {
  const int descriptor = ::open((folder / kLockFile).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  const bool held = held_by_another(descriptor);
  ::close(descriptor);
  return held;
}

// Whether a path still leads to an open file: the one before may just have removed it.
bool is_still(const fs::path& file, int descriptor) {
  struct stat there = {}, open = {};
  return ::stat(file.c_str(), &there) == 0 && ::fstat(descriptor, &open) == 0 &&
         there.st_ino == open.st_ino && there.st_dev == open.st_dev;
}

std::string some_of(const std::vector<std::string>& names) {
  if (names.size() == 1) return fmt::format("'{}'", names[0]);
  return fmt::format("'{}' and {} more", names[0], names.size() - 1);
}

// The nearest of a path's folders that is there.
fs::path nearest_existing(const fs::path& folder) {
  fs::path existing = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(existing, error) && existing.has_parent_path() &&
         existing != existing.parent_path()) {
    existing = existing.parent_path();
  }
  return existing;
}

}  // namespace

void check_foreign_files(const fs::path& folder, ResultKind kind, Problems& problems) {
  for (const std::string& name : foreign_files(folder, kind)) {
    problems.add("--out",
                 fmt::format("'{}' would be replaced, but Tessera did not write it (or it was changed "
                             "since); move it away, or choose another folder.",
                             (folder / name).string()));
  }
}

void check_output_folder(const fs::path& folder, bool force, ResultKind kind, Problems& problems) {
  if (folder.empty()) return problems.add("--out", "needs the name of a folder.");
  std::error_code error;
  const fs::path existing = nearest_existing(folder);
  if (!fs::is_directory(existing, error)) {
    const bool itself = fs::exists(folder, error);
    problems.add("--out", itself ? fmt::format("'{}' exists and is not a folder.", folder.string())
                                 : fmt::format("the folder '{}' cannot be made: '{}' is a file.",
                                               folder.string(), existing.string()));
    return;
  }
  if (!fs::is_directory(folder, error)) return;
  if (is_in_use(folder)) {
    problems.add("--out", in_use(folder));
    return;
  }
  const std::vector<std::string> content = content_of(folder);
  if (force) {
    check_foreign_files(folder, kind, problems);
  } else if (!content.empty()) {
    problems.add("--out", fmt::format("the folder '{}' is not empty ({}); choose another one, or add "
                                      "--force to replace the result in it (other files stay).",
                                      folder.string(), some_of(content)));
  }
}

void require_writable(const fs::path& folder) {
  const fs::path existing = nearest_existing(folder);
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    throw RunError(fmt::format("cannot write into '{}': {}.", existing.string(),
                               std::generic_category().message(errno)));
  }
}

OutputLock::OutputLock(const fs::path& folder) : file_(folder / kLockFile) {
  const auto fail = [&folder](const std::string& reason) {
    throw RunError(fmt::format("cannot write into '{}': {}.", folder.string(), reason));
  };
  std::error_code error;
  for (fs::path missing = fs::absolute(folder); !fs::exists(missing, error);
       missing = missing.parent_path()) {
    made_.insert(made_.begin(), missing);
  }
  fs::create_directories(folder, error);
  if (error) fail(error.message());
  while (true) {
    descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor_ < 0) fail(std::generic_category().message(errno));
    struct flock lock = whole_file();
    if (fcntl(descriptor_, F_OFD_SETLK, &lock) != 0) {
      if (errno != EAGAIN && errno != EACCES) break;  // no locks on this file system
      ::close(descriptor_);
      throw InputError("--out: " + in_use(folder));
    }
    if (is_still(file_, descriptor_)) break;
    ::close(descriptor_);
  }
  const std::string process = std::to_string(getpid()) + "\n";
  // A full disk shows itself soon enough.
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::write(descriptor_, process.data(), process.size()) < 0) {
    errno = 0;
  }
  remove_leftovers(folder);
}

OutputLock::~OutputLock() {
  ::unlink(file_.c_str());  // while it is locked: nobody else's
  ::close(descriptor_);
  std::error_code ignored;
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) {
    fs::remove(*folder, ignored);  // only if it is empty
  }
}

fs::path checkpoint_file(const fs::path& folder, double time_ms) {
  return folder / fmt::format("checkpoint_{:.10g}ms.tsc", time_ms);
}

}  // namespace tessera::cli
