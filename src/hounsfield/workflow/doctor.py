"""What a bug report needs to know of a machine, and nothing private: no name, no path."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.workflow.machine import Processor, machine, processor

PACKAGES = (
    "torch", "numpy", "scipy", "pyarrow", "scikit-learn", "scikit-image", "pillow", "tifffile",
    "openpyxl", "safetensors", "pydantic", "pyyaml", "jinja2", "typer", "rich", "psutil",
    "onnx", "onnxruntime", "captum",
)  # fmt: skip
OPTIONAL = ("openvino",)
"""Not needed, but faster where they are."""
_FEATURES = {
    "AVX2": ("avx2",),
    "AVX-512": ("avx512f",),
    "AVX-512 BF16": ("avx512_bf16",),
    "AVX-512 VNNI": ("avx512_vnni",),
    "AMX": ("amx_tile",),
    "AMX BF16": ("amx_bf16",),
    "Arm BF16": ("bf16",),
}
_LITTLE_MEMORY_GIB = 4.0


class Diagnosis(BaseModel):
    """What `doctor` found.

    Attributes
    ----------
    hounsfield, python, system : str
        Versions; the system without the machine's name.
    packages : dict of str to str
        Version, or ``"missing"``, or ``"not installed"`` where it is optional.
    processor : str
        Model name.
    features : dict of str to bool or None
        Instruction sets; None where the system does not tell.
    physical_cores : int or None
        None where the system does not tell.
    logical_cores, usable_cores : int
        All, and those that this process may use.
    memory_gib : float
        That this process may use.
    memory_free_gib : float
        Of the machine, now.
    device : str
        ``cpu`` or ``cuda``.
    device_name : str
        Name of the GPU, or ``""``.
    bfloat16 : bool
        The device multiplies bfloat16 in hardware.
    problems : tuple of str
        What to correct, one sentence each; empty where all is well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    python: str
    system: str
    packages: dict[str, str]
    processor: str
    features: dict[str, bool | None]
    physical_cores: int | None
    logical_cores: int
    usable_cores: int
    memory_gib: float
    memory_free_gib: float
    device: str
    device_name: str = ""
    bfloat16: bool
    problems: tuple[str, ...] = ()


def doctor() -> Diagnosis:
    """Return versions, processor, memory and device of this machine, fit for a public bug tracker."""
    import psutil  # not needed by `hu --help`

    here = machine()
    cpu = processor()
    packages = {name: _version(name) for name in PACKAGES}
    packages |= {name: _version(name).replace("missing", "not installed") for name in OPTIONAL}
    return Diagnosis(
        hounsfield=_version("hounsfield"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages=packages,
        processor=cpu.model,
        features=features(cpu),
        physical_cores=psutil.cpu_count(logical=False),
        logical_cores=psutil.cpu_count() or 1,
        usable_cores=here.cores,
        memory_gib=here.memory_gib,
        memory_free_gib=round(psutil.virtual_memory().available / 2**30, 2),
        device=here.device,
        device_name=_device_name(here.device),
        bfloat16=here.bfloat16,
        problems=problems(packages, here.memory_gib),
    )


def features(cpu: Processor) -> dict[str, bool | None]:
    """Return which instruction sets a processor has, by their usual names; None where unknown."""
    flags = cpu.flags
    if flags is None:
        return dict.fromkeys(_FEATURES)
    return {name: not flags.isdisjoint(wanted) for name, wanted in _FEATURES.items()}


def problems(packages: dict[str, str], memory_gib: float) -> tuple[str, ...]:
    """Return what to correct, one sentence each."""
    found = [
        f"The package {name} is missing: pip install {name}."
        for name, found_version in packages.items()
        if found_version == "missing"
    ]
    if sys.version_info < (3, 11):  # noqa: UP036  # an unusual installation may have got past pip
        found.append("Python is older than 3.11: install a newer one.")
    if memory_gib < _LITTLE_MEMORY_GIB:
        found.append(f"There are only {memory_gib:g} GiB of memory: large cohorts may not fit; 8 GiB are better.")
    return tuple(found)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _device_name(device: str) -> str:
    if device != "cuda":
        return ""
    import torch  # noqa: TID251  # seconds at import; asked for a name, computes nothing

    return torch.cuda.get_device_name()
