"""Train on each data set under its budget and write what the report says; resumable at any moment."""

import argparse

from benchmarks.accuracy.annotate.sets import MaskSet, command, read_sets, run_folder
from benchmarks.record import provenance, read_result, write_result
from hounsfield.core.report import Figure, Report


def main() -> None:
    """Run what was asked for."""
    sets = read_sets()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(sets), default=list(sets))
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, default=None, help="of each run; else the set's own budget")
    parser.add_argument("--again", action="store_true", help="also where a result of other code is there")
    wanted = parser.parse_args()
    for name in wanted.only:
        entry = sets[name] if wanted.minutes is None else sets[name].model_copy(update={"minutes": wanted.minutes})
        if not entry.source.exists():
            print(f"{name}: skipped, the data are not on this machine")
            continue
        for seed in range(wanted.seeds):
            one(name, entry, seed, again=wanted.again)


def one(name: str, entry: MaskSet, seed: int, *, again: bool) -> None:
    """Make the result of one set and seed, unless it is there."""
    print(f"{name}, seed {seed}", flush=True)
    there = read_result(f"annotate-{name}-seed{seed}")
    if there is not None and there.get("command") == command(entry, seed) and not again:
        print(f"  there already, of commit {there['commit']}")
        return
    write_result(f"annotate-{name}-seed{seed}", summary(trained(name, entry, seed), entry, seed))


def trained(name: str, entry: MaskSet, seed: int) -> Report:
    """Return the report of a run, trained now or before."""
    from hounsfield.workflow.training import train
    from hounsfield.workflow.wishes import Wishes

    out = run_folder(name, entry, seed)
    finished = out / "report.json"
    if not (finished.exists() and not (out / ".work").exists()):
        train(
            entry.source,
            out=out,
            wishes=Wishes(task="annotate", minutes=entry.minutes, folds=entry.folds, seed=seed),
        )
    return Report.model_validate_json(finished.read_text(encoding="utf-8"))


def summary(report: Report, entry: MaskSet, seed: int) -> dict[str, object]:
    """Return what is kept of a report, and whether each figure exceeds what it must.

    Parameters
    ----------
    report : Report
    entry : MaskSet
    seed : int
    """
    figures = report.parts[report.judged_part]
    metrics = figures.metrics

    def reached(wanted: dict[str, float]) -> dict[str, bool]:
        return {n: (found.value or 0.0) > least for n, least in wanted.items() if (found := metrics.get(n)) is not None}

    result: dict[str, object] = {
        **provenance(command(entry, seed)),
        "part": report.judged_part,
        "samples": figures.samples,
        "metrics": dumped(metrics),
        "baselines": {name: dumped(block.metrics) for name, block in report.baselines.items()},
        "minus_baseline": {name: dumped(block.difference) for name, block in report.baselines.items()},
        "folds": list(figures.folds),
        "must": entry.must,
        "must_reached": reached(entry.must),
        "aim": entry.aim,
        "aim_reached": reached(entry.aim),
        "anchors": entry.anchors,
        "note": entry.note,
        "cost": report.cost.model_dump(mode="json"),
        "plan": {f"{line.section}.{line.key}": line.value for line in report.plan},
    }
    if entry.must_rank and "quality_rank" in metrics and "size_rank" in metrics:
        rank, size = metrics["quality_rank"].value or 0.0, metrics["size_rank"].value or 0.0
        result["rank_reached"] = rank > LEAST_RANK and rank > size
    return result


LEAST_RANK = 0.5


def dumped(figures: dict[str, Figure]) -> dict[str, object]:
    """Return figures as JSON values."""
    return {name: figure.model_dump(mode="json", exclude_defaults=True) for name, figure in figures.items()}


if __name__ == "__main__":
    main()
