#!/usr/bin/env bash
# Prints which Python tessera-bench runs with: the system's, so that nobody's own environment takes part.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
if [ -x /usr/bin/python3 ]; then echo /usr/bin/python3; else command -v python3 || echo python3; fi
