"""Programs to measure: binaries that are there, this working tree's, or commits built in clean worktrees, once.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import BenchError, BuildError
from .resolve import content_hash

LOG_TAIL = 15


@dataclass(frozen=True)
class Subject:
    """What is measured. `programs`: name to path. `repository`: where its models lie. `description` goes into records."""

    programs: dict[str, Path]
    repository: Path
    description: dict


def file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _git(repository: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        raise BenchError("There is no git on this machine, so commits cannot be compared. Give two programs instead.")
    done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BenchError(f"git {arguments[0]} failed: {said[-1] if said else 'no reason given'}")
    return done.stdout.strip()


def find_repository(how: dict, start: Path) -> Path:
    """The repository of a build: as the definition says, where '.' is the one around `start`."""
    place = Path(how.get("repository", "."))
    top = start / place
    if not top.is_dir():
        raise BenchError(f"The repository '{place}' of the build is no folder.")
    for folder in (top.resolve(), *top.resolve().parents):
        if (folder / ".git").exists():
            return folder
    return top.resolve()


def commit_of(repository: Path, name: str) -> str:
    """The full hash of a commit, branch or tag. Raises BenchError."""
    try:
        return _git(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except BenchError as error:
        if "no git on this machine" in str(error):
            raise
        raise BenchError(f"'{name}' is neither a file nor a commit of this repository.") from None


def _programs(how: dict, folder: Path) -> dict[str, Path]:
    return {name: folder / path for name, path in how.get("programs", {}).items()}


def _describe(how: dict, programs: dict[str, Path], commit: str, dirty: bool | None) -> dict:
    binaries = {name: file_hash(path) for name, path in programs.items() if path.is_file()}
    return {"adaptor": how["adaptor"], "commit": commit, "dirty": dirty, "binaries": binaries,
            "flags": how.get("configure", [])}


def subject_of_tree(how: dict, repository: Path) -> Subject:
    """What was last built in the working tree."""
    programs = _programs(how, repository / how.get("built_in", "."))
    commit, dirty = "unknown", None
    try:
        commit = commit_of(repository, "HEAD")
        dirty = _git(repository, "status", "--porcelain", "--untracked-files=no") != ""
    except BenchError:
        pass  # no git: the hash of the binary says what it is
    return Subject(programs, repository, _describe(how, programs, commit, dirty))


def subject_of_program(how: dict, program: Path, repository: Path) -> Subject:
    """A binary that somebody built: stands for the program of the same name, or for the first of the build."""
    if not os.access(program, os.X_OK):
        raise BenchError(f"'{program}' is not executable.")
    known = how.get("programs", {program.name: program.name})
    name = next((n for n, path in known.items() if Path(path).name == program.name), next(iter(known)))
    program = program.resolve()
    programs = {name: program}
    # Its neighbours, such as the benchmark programs of the same build folder.
    folder = program.parents[len(Path(known[name]).parts) - 1]
    programs |= {n: folder / path for n, path in known.items() if n != name and (folder / path).is_file()}
    return Subject(programs, repository, _describe(how, programs, "unknown", None))


def cache_folder(repository: Path) -> Path:
    return Path(os.environ.get("TESSERA_BENCH_CACHE") or repository / "build" / "bench_cache")


def _steps(how: dict, source: Path, build: Path) -> list[list[str]]:
    configure = ["cmake", "-S", str(source), "-B", str(build), *how.get("configure", [])]
    targets = ["--target", *how["targets"]] if how.get("targets") else []
    return [configure, ["cmake", "--build", str(build), *targets]]


def _build(how: dict, source: Path, build: Path, log: Path, commit: str) -> None:
    if shutil.which("cmake") is None:
        raise BuildError("There is no cmake on this machine, so commits cannot be built.")
    with log.open("w") as file:
        for step in _steps(how, source, build):
            if subprocess.run(step, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode != 0:
                file.flush()
                tail = "\n".join("  " + line for line in log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
                raise BuildError(f"The commit {commit[:12]} does not build; nothing was measured. The end of its "
                                 f"log ({log}):\n{tail}")


def subject_of_commit(how: dict, repository: Path, name: str, say=lambda text: None) -> Subject:
    """Builds a commit in a clean worktree, or takes what an earlier call built of the same content.
    Raises BuildError with the end of the log."""
    commit = commit_of(repository, name)
    tree = _git(repository, "rev-parse", f"{commit}^{{tree}}")
    compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True).stdout.splitlines()[:1] \
        if shutil.which("c++") else []
    key = content_hash([tree, how.get("configure", []), how.get("targets", []), compiler, os.environ.get("CXX", "")])
    cache = cache_folder(repository)
    folder = cache / key[:24]
    folder.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")  # wherever it lies, no commit shall have it
    source, build, mark = folder / "source", folder / "build", folder / "built.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two sessions that want the same commit: one builds, the other waits
        if not mark.exists():
            say(f"building {commit[:12]}")
            if not source.exists():
                _git(repository, "worktree", "prune")
                _git(repository, "worktree", "add", "--detach", str(source), commit)
            shutil.rmtree(build, ignore_errors=True)
            _build(how, source, build, folder / "build.log", commit)
            mark.write_text(json.dumps({"commit": commit, "tree": tree}))
    programs = _programs(how, build)
    return Subject(programs, source, _describe(how, programs, commit, False))


def subject_of(how: dict, repository: Path, name: str, say=lambda text: None) -> Subject:
    """BASE or HEAD of a command line: a program when there is such a file, else a commit."""
    path = Path(name)
    if path.is_file():
        return subject_of_program(how, path, repository)
    return subject_of_commit(how, repository, name, say)
