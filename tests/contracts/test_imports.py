"""Rooms import as the map says, and a forbidden import is noticed."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True, no_logo=True))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def _copy(to: Path) -> Path:
    shutil.copytree(ROOT / "src", to / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)
    return to


def test_contracts_hold() -> None:
    outcome = _lint(ROOT)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("core/intruder.py", "import hounsfield.learn", "downwards only"),
        ("core/intruder.py", "def late() -> None:\n    import torch", "without torch"),
        ("science/intruder.py", "import hounsfield.bundle", "downwards only"),
        ("stages/planning/intruder.py", "import hounsfield.stages.evaluation", "No stage knows another"),
        ("helpers.py", "", "downwards only"),
    ],
    ids=["upwards", "torch, late", "sideways", "stage to stage", "undeclared room"],
)
def test_forbidden_import_breaks_its_contract(tmp_path: Path, module: str, statement: str, contract: str) -> None:
    copy = _copy(tmp_path)
    (copy / "src/hounsfield" / module).write_text(f'"""Toy."""\n{statement}\n')
    outcome = _lint(copy)
    assert outcome.returncode == 1, outcome.stdout
    broken = [line for line in outcome.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), outcome.stdout


def test_rooms_hold_only_what_has_a_door() -> None:
    """Every folder with modules is a package whose first lines say what it is for."""
    folders = {path.parent for path in (ROOT / "src/hounsfield").rglob("*.py")}
    for folder in folders:
        opening = (folder / "__init__.py").read_text(encoding="utf-8").lstrip()
        assert opening.startswith('"""'), folder.name


def test_torch_free_rooms_are_all_named() -> None:
    """The contract lists every torch-free room that has been built."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (listed,) = [set(contract["source_modules"]) for contract in contracts if contract["id"] == "torch-free"]
    rooms = ["core", "geometry", "data", "science", "privacy", "bundle"]
    rooms += [
        f"stages.{name}"
        for name in ("auditing", "splitting", "fingerprinting", "planning", "evaluation", "explaining", "reporting")
    ]
    built = {f"hounsfield.{room}" for room in rooms if (ROOT / "src/hounsfield" / room.replace(".", "/")).is_dir()}
    assert built == listed
