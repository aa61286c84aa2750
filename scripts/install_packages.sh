#!/usr/bin/env bash
# Installs the system packages that Tessera needs and that are missing, through apt. Nothing else.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/install_packages.sh [bench|test]     bench: Google Benchmark and what makes Python environments as well;
# test: the latter, for the tests of tessera-bench and of the Python package
# Exits 0 when everything is there or was installed, 1 with a sentence when that is not possible.
set -euo pipefail

say() { echo "tessera packages: $*" >&2; }

# Commands may come from anywhere (a newer CMake, say); libraries are looked up by their package.
packages=()
need_command() { command -v "$1" >/dev/null 2>&1 || packages+=("$2"); }
need_command c++ g++
need_command cmake cmake
need_command ninja ninja-build
need_command pkg-config pkg-config
need_command git git

libraries=(libhwy-dev librandom123-dev libfmt-dev libcli11-dev libtomlplusplus-dev
           nlohmann-json3-dev libxxhash-dev libhdf5-dev libopenblas-dev libjpeg-dev libmetis-dev zlib1g-dev libgtest-dev
           libopenmpi-dev openmpi-bin)
[ "${1:-}" = bench ] && libraries+=(libbenchmark-dev)
case ${1:-} in bench | test) libraries+=(python3-venv) ;; esac
[ "${1:-}" = test ] && libraries+=(python3-dev)

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
  # Not a Debian or Ubuntu machine: CMake finds out whether the libraries are there.
  say "there is no apt on this machine, so nothing was checked. Tessera needs a C++20 compiler," \
      "CMake 3.22, Ninja, pkg-config, Highway 1.0, Random123, fmt, CLI11, toml++ 3," \
      "nlohmann-json, xxHash 0.8, zlib, GoogleTest and, optionally, the HDF5 C library, OpenBLAS, libjpeg, METIS and MPI 3.1."
  exit 0
fi

# One call for all of them: fast when nothing is missing.
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${libraries[@]}" 2>/dev/null || true)
for library in "${libraries[@]}"; do
  grep -qx "$library installed" <<<"$installed" || packages+=("$library")
done
[ ${#packages[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    say "these packages are missing: ${packages[*]}. Installing them needs root, and there is no" \
        "sudo here. Ask an administrator to run: apt-get install ${packages[*]}"
    exit 1
  fi
  as_root=(sudo)
  [ -t 0 ] || as_root=(sudo -n)  # nobody there to type a password
fi

say "installing ${packages[*]}"
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${packages[@]}" </dev/null
}
refresh() { "${as_root[@]}" apt-get update </dev/null; }
# A machine whose package lists are recent needs no update; a fresh one has none.
if ! install >/dev/null 2>&1; then
  if ! refresh || ! install; then
    say "apt could not install ${packages[*]}. Check the network and the permissions, then run:" \
        "apt-get update && apt-get install ${packages[*]}"
    exit 1
  fi
fi
