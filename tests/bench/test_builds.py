"""Commits in clean worktrees: built once, found again, refused with the end of their log.

The projects have no language, so that building one takes CMake and a moment.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import shutil
import subprocess

import pytest

from tessera_bench import builds
from tessera_bench.errors import BenchError, BuildError

PROJECT = """cmake_minimum_required(VERSION 3.22)
project(tiny NONE)
file(WRITE ${CMAKE_BINARY_DIR}/bin/program.sh "#!/bin/sh\\necho %s\\n")
file(CHMOD ${CMAKE_BINARY_DIR}/bin/program.sh PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
file(WRITE ${CMAKE_BINARY_DIR}/bin/other.sh "#!/bin/sh\\n")
add_custom_target(things)
"""
HOW = {"adaptor": "tessera", "built_in": "build", "configure": ["-DX=1"], "targets": ["things"],
       "programs": {"program": "bin/program.sh", "other": "bin/other.sh"}}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """project(text) commits a CMakeLists.txt and returns (repository, commit)."""
    monkeypatch.delenv("TESSERA_BENCH_CACHE", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    git = ["git", "-C", str(folder), "-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)

    def commit(text: str, more: str = ""):
        (folder / "CMakeLists.txt").write_text(text)
        (folder / "more").write_text(more)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", "x"], check=True)
        done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        return folder, done.stdout.strip()
    return commit


def test_a_commit_is_built_without_what_lies_about_in_the_working_tree(project):
    folder, first = project(PROJECT % "one")
    project(PROJECT % "two")
    (folder / "CMakeLists.txt").write_text("not even CMake")
    subject = builds.subject_of_commit(HOW, folder, "HEAD~1")
    assert "echo one" in subject.programs["program"].read_text()
    assert subject.description["commit"] == first
    assert subject.description["dirty"] is False
    assert subject.description["binaries"]["program"] == builds.file_hash(subject.programs["program"])
    assert (folder / "CMakeLists.txt").read_text() == "not even CMake"


def test_a_commit_is_built_once_and_so_is_the_same_content(project):
    folder, first = project(PROJECT % "one", "a")
    said = []
    one = builds.subject_of_commit(HOW, folder, first, said.append)
    mark = one.programs["program"].stat().st_mtime_ns
    builds.subject_of_commit(HOW, folder, "main", said.append)
    project(PROJECT % "one", "b")
    _, again = project(PROJECT % "one", "a")  # another commit with the content of the first
    same = builds.subject_of_commit(HOW, folder, again, said.append)
    assert said == [f"building {first[:12]}"]
    assert same.programs == one.programs and same.programs["program"].stat().st_mtime_ns == mark
    other = builds.subject_of_commit({**HOW, "configure": ["-DX=2"]}, folder, again, said.append)
    assert other.programs != one.programs and len(said) == 2


def test_a_commit_that_does_not_build_shows_the_end_of_its_log(project):
    folder, commit = project(PROJECT % "one" + 'message(FATAL_ERROR "the planted reason")\n')
    for _ in range(2):  # a failed build is tried again, not remembered
        with pytest.raises(BuildError) as caught:
            builds.subject_of_commit(HOW, folder, "HEAD")
        text = str(caught.value)
        assert f"The commit {commit[:12]} does not build; nothing was measured." in text
        assert "the planted reason" in text
        assert len(text.splitlines()) <= builds.LOG_TAIL + 1


def test_a_target_that_fails(project):
    folder, _ = project(PROJECT % "one" + "add_custom_target(broken COMMAND ${CMAKE_COMMAND} -E false)\n")
    with pytest.raises(BuildError, match="does not build"):
        builds.subject_of_commit({**HOW, "targets": ["broken"]}, folder, "HEAD")


def test_names_that_are_no_commit(project):
    folder, _ = project(PROJECT % "one")
    with pytest.raises(BenchError, match="'nonsense' is neither a file nor a commit"):
        builds.subject_of(HOW, folder, "nonsense")


def test_no_git_and_no_cmake_are_sentences(project, monkeypatch, tmp_path):
    folder, _ = project(PROJECT % "one")
    real = shutil.which
    monkeypatch.setattr(builds.shutil, "which", lambda name: None if name == "git" else real(name))
    with pytest.raises(BenchError, match="There is no git on this machine"):
        builds.subject_of(HOW, folder, "HEAD")
    # The working tree can be measured all the same.
    assert builds.subject_of_tree(HOW, folder).description["commit"] == "unknown"
    monkeypatch.setattr(builds.shutil, "which", lambda name: None if name == "cmake" else real(name))
    with pytest.raises(BenchError, match="There is no cmake on this machine"):
        builds.subject_of(HOW, folder, "HEAD")


def test_a_program_stands_for_itself_and_its_neighbours(tmp_path):
    for path in ("bin/program.sh", "bin/other.sh"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("#!/bin/sh\n")
    (tmp_path / "bin/program.sh").chmod(0o755)
    subject = builds.subject_of(HOW, tmp_path, str(tmp_path / "bin" / "program.sh"))
    assert {name: path.name for name, path in subject.programs.items()} == {"program": "program.sh", "other": "other.sh"}
    assert subject.description["commit"] == "unknown"
    (tmp_path / "bin/program.sh").chmod(0o644)
    with pytest.raises(BenchError, match="is not executable"):
        builds.subject_of(HOW, tmp_path, str(tmp_path / "bin" / "program.sh"))


def test_the_working_tree_is_known_by_commit_and_changes(project):
    folder, commit = project(PROJECT % "one")
    assert (builds.subject_of_tree(HOW, folder).description["commit"], builds.subject_of_tree(HOW, folder).description["dirty"]) == (commit, False)
    (folder / "more").write_text("changed")
    assert builds.subject_of_tree(HOW, folder).description["dirty"] is True


def test_the_cache_can_lie_elsewhere(project, monkeypatch, tmp_path):
    folder, _ = project(PROJECT % "one")
    monkeypatch.setenv("TESSERA_BENCH_CACHE", str(tmp_path / "cache"))
    subject = builds.subject_of_commit(HOW, folder, "HEAD")
    assert os.path.commonpath([subject.programs["program"], tmp_path / "cache"]) == str(tmp_path / "cache")
