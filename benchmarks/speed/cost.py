"""What plans predicted against what it took: finished runs, and three plans that were given no minutes."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.record import RESULTS, provenance, read_result, write_result
from benchmarks.speed.memory import folder_of, peak_mib
from hounsfield.core.report import Cost, Report

ALLOWED = {"seconds": 0.25, "seconds_per_step": 0.15, "peak_mib": 0.20}
SIZES = (28, 64, 128)


def compared(cost: Cost) -> dict[str, object]:
    """Return prediction, measurement, relative error and verdict of each quantity.

    Parameters
    ----------
    cost : Cost
    """
    told = cost.model_dump()
    made: dict[str, object] = {}
    for name, most in ALLOWED.items():
        predicted, taken = told[f"predicted_{name}"], told[name]
        if predicted is None or not taken:
            made[name] = {"predicted": predicted, "taken": taken, "met": None}
            continue
        error = predicted / taken - 1
        met = abs(error) <= most
        made[name] = {"predicted": predicted, "taken": taken, "error": round(error, 4), "most": most, "met": met}
    return made | {"steps": cost.steps, "stopped_by_clock": cost.stopped_by_clock}


def finished() -> dict[str, object]:
    """Return the comparison of every accuracy result that is there."""
    found: dict[str, object] = {}
    for path in sorted(RESULTS.glob("*-seed*.json")):
        result = read_result(path.stem) or {}
        cost = result.get("cost")
        if isinstance(cost, dict) and "code" in result:
            found[path.stem] = compared(Cost.model_validate(cost))
    return found


def fresh(size: int, *, count: int, steps: int, work: Path) -> dict[str, object]:
    """Train on generated pictures without minutes, in a process of its own, and return the comparison.

    Parameters
    ----------
    size : int
        Edge, pixels.
    count : int
        Pictures.
    steps : int
        Upper bound.
    work : Path
    """
    source = folder_of(work / f"pictures-{size}", count, size)
    run = work / f"run-{size}"
    peak_mib("train", str(source), str(run), str(steps))
    report = Report.model_validate_json((run / "report.json").read_text(encoding="utf-8"))
    return compared(report.cost)


def main() -> None:
    """Compare what is there, and what is made for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--count", type=int, default=600, help="generated pictures of each size")
    parser.add_argument("--steps", type=int, default=300, help="upper bound of steps without minutes")
    parser.add_argument("--name", default="speed-cost")
    wanted = parser.parse_args()
    plans = {}
    with TemporaryDirectory(prefix="hounsfield-bench-") as place:
        for size in wanted.sizes:
            plans[str(size)] = fresh(size, count=wanted.count, steps=wanted.steps, work=Path(place))
            print(f"{size} px: {plans[str(size)]}", flush=True)
    command = f"python -m benchmarks.speed.cost --sizes {' '.join(map(str, wanted.sizes))} --count {wanted.count}"
    write_result(
        wanted.name,
        {**provenance(f"{command} --steps {wanted.steps}"), "with_minutes": finished(), "without_minutes": plans},
    )


if __name__ == "__main__":
    main()
