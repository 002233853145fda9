"""Train on each data set under its budget and write what the report says."""

import argparse
import json
import os
from pathlib import Path
from typing import TypedDict

import yaml

import hounsfield as hf
from hounsfield.core.report import Report

HERE = Path(__file__).parent
TOP = HERE.parents[2]
RESULTS = TOP / "benchmarks" / "results"
RUNS = TOP / "runs" / "bench"


class DataSet(TypedDict):
    """One line of ``sets.yaml``."""

    path: str
    minutes: float
    textbook: bool


def data_root() -> Path:
    """Return the folder of data."""
    return Path(os.environ.get("HOUNSFIELD_DATA", TOP.parent / "shared" / "data"))


def trained(source: Path, out: Path, *, minutes: float | None, seed: int, network: str | None) -> Report:
    """Return the report of a run, trained now or before."""
    finished = out / "report.json"
    if not (finished.exists() and not (out / ".work").exists()):
        hf.train(source, out=out, minutes=minutes, seed=seed, network=network)
    return Report.model_validate_json(finished.read_text(encoding="utf-8"))


def main() -> None:
    """Run what was asked for."""
    sets: dict[str, DataSet] = yaml.safe_load((HERE / "sets.yaml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(sets), default=list(sets))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    wanted = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for name in wanted.only:
        entry = sets[name]
        source = data_root() / entry["path"]
        if not source.exists():
            print(f"{name}: skipped, the data are not on this machine")
            continue
        for seed in wanted.seeds:
            print(f"{name}, seed {seed}", flush=True)
            out = RUNS / f"{name}-seed{seed}"
            report = trained(source, out, minutes=entry["minutes"], seed=seed, network=None)
            result = summary(report, name, entry, seed)
            if entry["textbook"]:
                other = RUNS / f"{name}-textbook-seed{seed}"
                textbook = trained(source, other, minutes=None, seed=seed, network="textbook")
                result["textbook"] = figures(textbook)
                result["network_minus_textbook"] = hf.compare(out, other).model_dump(mode="json")["difference"]
            path = RESULTS / f"{name}-seed{seed}.json"
            path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"  wrote {path.name}")


def figures(report: Report) -> dict[str, object]:
    """Return the figures of the judged part."""
    part = report.parts[report.judged_part]
    return {k: v.model_dump() for k, v in part.metrics.items()}


def summary(report: Report, name: str, entry: DataSet, seed: int) -> dict[str, object]:
    """Return what is kept of a run."""
    part = report.parts[report.judged_part]
    return {
        "data": name,
        "command": f"hu train {entry['path']} --minutes {entry['minutes']:g} --seed {seed}",
        "date": report.created[:10],
        "part": report.judged_part,
        "samples": part.samples,
        "patients": part.patients,
        "figures": figures(report),
        "without_faulty": {k: v.model_dump() for k, v in part.without_faulty.items()},
        "baselines": {k: v.model_dump() for k, v in report.baselines.items()},
        "cost": report.cost.model_dump(),
        "environment": report.environment,
    }


if __name__ == "__main__":
    main()
