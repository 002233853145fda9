"""What this machine can do: cores, memory, device, and whether bfloat16 is multiplied in hardware."""

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from hounsfield.core.plan import Machine

_CPUINFO = Path("/proc/cpuinfo")
_CGROUP = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_AMPERE = (8, 0)


@dataclass(frozen=True)
class Processor:
    """The processor.

    Parameters
    ----------
    model : str
        Its name, or ``"unknown"``.
    flags : frozenset of str or None
        Features as Linux names them; None where the system does not tell.
    """

    model: str
    flags: frozenset[str] | None

    @property
    def bfloat16(self) -> bool:
        """Whether it multiplies bfloat16 in hardware (AVX-512 BF16, AMX, or Arm BF16)."""
        return self.flags is not None and not self.flags.isdisjoint(_BFLOAT16_FLAGS)


def machine() -> Machine:
    """Return what this machine, or the part of it that this process may use, can do."""
    device, gpu_bfloat16 = accelerator()
    return Machine(
        cores=usable_cores(),
        bfloat16=gpu_bfloat16 if device == "cuda" else processor().bfloat16,
        device=device,
        memory_gib=memory_gib(),
    )


def processor() -> Processor:
    """Return the processor's name and features, from ``/proc/cpuinfo`` where there is one."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Processor(platform.processor() or "unknown", None)
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    return Processor(
        model.group(1).strip() if model else platform.machine() or "unknown",
        frozenset(flags.group(1).split()) if flags else None,
    )


def usable_cores() -> int:
    """Return how many cores this process may use: its affinity, and a container's quota where one is set."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quotas = []
    for folder in _cgroups():
        words = _read(folder / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":  # quota and period in microseconds
            quotas.append(float(words[0]) / float(words[1]))
    return max(1, min([cores, *(int(quota) for quota in quotas)]))


def memory_gib() -> float:
    """Return the memory in GiB that this process may use: the machine's, or its container's limit if smaller."""
    import psutil  # not needed by `hu --help`

    limits = [psutil.virtual_memory().total]
    for folder in _cgroups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            word = _read(folder / name)
            if word.isdigit() and int(word) > 0:
                limits.append(int(word))
    return round(min(limits) / 2**30, 2)


def accelerator() -> tuple[str, bool]:
    """Return ``("cuda", has bfloat16)`` where a GPU can be used, else ``("cpu", False)``."""
    import torch  # noqa: TID251  # seconds at import; asked which device there is, computes nothing

    if not torch.cuda.is_available():
        return "cpu", False
    return "cuda", torch.cuda.get_device_capability() >= _AMPERE


def _cgroups() -> list[Path]:
    """Return the control groups that limit this process: its own and those above it (v2), or the memory one (v1)."""
    own = next((line[3:] for line in _read(_OWN_CGROUP).splitlines() if line.startswith("0::")), "/")
    parts = [part for part in own.split("/") if part and part != ".."]
    nested = [_CGROUP.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return [*nested, _CGROUP / "memory"]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
