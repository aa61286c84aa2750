"""snnTorch (https://github.com/jeshraghian/snntorch): a batch of training, through bench/peers/compare_frameworks.py.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import csv
import io
from pathlib import Path

from ..process import Finished
from ..resolve import Resolved
from .base import Adaptor, Job, Outcome
from .programs import importable

PROGRAM = "bench/peers/compare_frameworks.py"


class SnnTorch(Adaptor):
    name = "snntorch"
    kinds = ("training_batch",)

    def missing(self, resolved: Resolved, programs: dict[str, Path]) -> str | None:
        reason = super().missing(resolved, programs)
        python = resolved.how.get("python", "python3")
        if reason is None and resolved.what.get("settings", {}).get("recurrent"):
            reason = "The program of the adaptor 'snntorch' has no recurrent layers."
        if reason is None and not importable(python, "snntorch"):
            reason = (f"snnTorch is not installed for '{python}'; key 'python' of how/{resolved.build}.toml names the "
                      "interpreter.")
        return reason

    def command(self, job: Job) -> list[str]:
        s = job.what["settings"]
        return [job.resolved.how.get("python", "python3"), str(job.repository / PROGRAM), "--frameworks", "snntorch",
                "--orders", "layers", "--threads", str(job.resolved.threads), "--layers", str(s["layers"]),
                "--activity", str(s["activity"]), "--neurons", str(s["neurons"]), "--batch", str(s["batch"]),
                "--steps", str(s["steps"]), "--repeats", str(s.get("repetitions", 3)), *job.extra_arguments()]

    def read(self, job: Job, finished: Finished) -> Outcome:
        row = list(csv.DictReader(io.StringIO(finished.output)))[-1]
        # The activity of the last layer is what the program reaches; the check of the case asks for it.
        return Outcome(results={"activity": float(row["last_layer_activity"])},
                       counters={"neurons": int(row["neurons"])}, result_counters=("neurons",),
                       times={"run_seconds": float(row["median_s"])},
                       memory={"peak_resident_bytes": finished.peak_bytes},
                       program={"version": row["version"], "torch": row["torch"]})


ADAPTOR = SnnTorch()
