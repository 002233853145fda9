"""Where results lie, and what each of them carries besides its figures: commit, machine, date, no names."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

TOP = Path(__file__).parents[1]
RESULTS = TOP / "benchmarks" / "results"
RUNS = TOP / "runs" / "bench"


def data_root() -> Path:
    """Return the folder of data."""
    return Path(os.environ.get("HOUNSFIELD_DATA", TOP.parent / "shared" / "data"))


def commit() -> str:
    """Return the commit of the checkout, ``+`` behind it where sources differ from it, or ``unknown``."""
    git = shutil.which("git")
    if git is None:
        return "unknown"

    def said(*words: str) -> str | None:
        done = subprocess.run([git, *words], cwd=TOP, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    found = said("rev-parse", "--short=10", "HEAD")
    if not found:
        return "unknown"
    return found + ("+" if said("status", "--porcelain", "--", "src") else "")


def code() -> str:
    """Return a digest of the package's sources: runs of other code are not continued."""
    summed = hashlib.sha256()
    for path in sorted((TOP / "src" / "hounsfield").rglob("*")):
        if path.suffix in (".py", ".yaml"):
            summed.update(path.read_bytes())
    return summed.hexdigest()[:10]


def provenance(command: str) -> dict[str, object]:
    """Return what every result begins with.

    Parameters
    ----------
    command : str
        How it is made again.
    """
    from hounsfield.workflow.reports import environment

    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "code": code(),
        "environment": environment(),
    }


def write_result(name: str, content: Mapping[str, object]) -> Path:
    """Write a result as ``results/<name>.json``, whole or not at all.

    Parameters
    ----------
    name : str
    content : mapping
        JSON values.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
    print(f"  wrote {path.name}", flush=True)
    return path


def read_result(name: str) -> dict[str, object] | None:
    """Return a result, or None where there is none."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return None
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return found
