"""What the machine is, and how busy: a fingerprint without names of users or hosts.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from .resolve import content_hash


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    memory_bytes: int
    system: str

    @property
    def id(self) -> str:
        """Equal for machines of one kind: what a history may put on one line."""
        return content_hash(asdict(self))[:12]

    def record(self) -> dict:
        return {"id": self.id, **asdict(self)}


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _field(text: str, name: str) -> str:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def this_machine() -> Machine:
    cpu = _read("/proc/cpuinfo")
    model = _field(cpu, "model name") or _field(cpu, "Processor") or platform.processor() or platform.machine()
    family = "/".join(filter(None, (_field(cpu, "cpu family"), _field(cpu, "model"), _field(cpu, "stepping"))))
    memory = _field(_read("/proc/meminfo"), "MemTotal").split(" ")[0]
    gigabytes = round(int(memory) * 1024 / 1e9) if memory.isdigit() else 0  # the kernel takes a little, never the same
    kernel = ".".join(platform.release().split(".")[:2])
    return Machine(f"{model} ({family})" if family else model, len(os.sched_getaffinity(0)), gigabytes * 10**9,
                   f"{platform.system()} {kernel} {platform.machine()}")


def governor() -> str:
    """How the clock of the processor is governed; empty where the system does not say (virtual machines)."""
    found = {_read(str(p)).strip() for p in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(found - {""}))


def load() -> float:
    """Processes that wanted to run in the last minute, of everybody on this machine."""
    return os.getloadavg()[0]


def stolen_share() -> tuple[int, int]:
    """(ticks taken by other virtual machines, all ticks) since the system started."""
    fields = _read("/proc/stat").split("\n")[0].split()[1:]
    ticks = [int(field) for field in fields if field.isdigit()]
    return (ticks[7] if len(ticks) > 7 else 0, sum(ticks[:8]))
