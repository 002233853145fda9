"""Rooms import as the map says, and a forbidden import is noticed."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _contracts() -> list[dict[str, Any]]:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(told["tool"]["importlinter"]["contracts"])


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True, no_logo=True))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def test_contracts_hold() -> None:
    outcome = _lint(ROOT)
    assert outcome.returncode == 0, outcome.stdout


INTRUDERS = {
    "upwards": ("core/upwards.py", "import hounsfield.learn", "hounsfield.core.upwards -> hounsfield.learn (l.2)"),
    "torch, late": ("core/late.py", "def late() -> None:\n    import torch", "hounsfield.core.late -> torch (l.3)"),
    "sideways": ("science/aside.py", "import hounsfield.bundle", "hounsfield.science.aside -> hounsfield.bundle (l.2)"),
    "stage to stage": (
        "stages/planning/across.py",
        "import hounsfield.stages.evaluation",
        "hounsfield.stages.planning.across -> hounsfield.stages.evaluation (l.2)",
    ),
    "undeclared room": ("helpers.py", "", "not listed as layers: - hounsfield.helpers"),
}
"""Where a forbidden statement is written, the statement, and how it is told."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is told of each broken contract where all intruders are in the package at once."""
    copy = tmp_path_factory.mktemp("intruders")
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for module, statement, _ in INTRUDERS.values():
        (copy / "src/hounsfield" / module).write_text(f'"""Toy."""\n{statement}\n')
    outcome = _lint(copy)
    assert outcome.returncode == 1, outcome.stdout
    names = {contract["name"] for contract in _contracts()}
    told: dict[str, str] = {}
    name = ""
    for line in outcome.stdout.partition("Broken contracts")[2].splitlines():
        name = line if line in names else name
        told[name] = " ".join(f"{told.get(name, '')} {line}".split())
    return told


@pytest.mark.parametrize(
    ("intruder", "contract"),
    [
        ("upwards", "downwards only"),
        ("torch, late", "without torch"),
        ("sideways", "downwards only"),
        ("stage to stage", "No stage knows another"),
        ("undeclared room", "downwards only"),
    ],
)
def test_forbidden_import_breaks_its_contract(broken: dict[str, str], intruder: str, contract: str) -> None:
    (told,) = [text for name, text in broken.items() if contract in name]
    assert INTRUDERS[intruder][2] in told


def test_rooms_hold_only_what_has_a_door() -> None:
    """Every folder with modules is a package whose first lines say what it is for."""
    folders = {path.parent for path in (ROOT / "src/hounsfield").rglob("*.py")}
    for folder in folders:
        opening = (folder / "__init__.py").read_text(encoding="utf-8").lstrip()
        assert opening.startswith('"""'), folder.name


def test_torch_free_rooms_are_all_named() -> None:
    """The contract lists every torch-free room that has been built."""
    (listed,) = [set(contract["source_modules"]) for contract in _contracts() if contract["id"] == "torch-free"]
    rooms = ["core", "geometry", "data", "science", "privacy", "bundle"]
    rooms += [
        f"stages.{name}"
        for name in ("auditing", "splitting", "fingerprinting", "planning", "evaluation", "explaining", "reporting")
    ]
    built = {f"hounsfield.{room}" for room in rooms if (ROOT / "src/hounsfield" / room.replace(".", "/")).is_dir()}
    assert built == listed
