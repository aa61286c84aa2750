"""python -m tessera_bench. Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0"""

import sys

from .cli import main

sys.exit(main())
