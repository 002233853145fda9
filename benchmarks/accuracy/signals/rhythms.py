"""Atrial fibrillation in windows of ten seconds (mitbih_arrhythmia): plain ``hu train --target AFIB``, three networks.

``python -m benchmarks.accuracy.signals.rhythms --inside-ds1`` trains and judges within DS1 alone, its two `HALVES` in
turn: everything is chosen there. ``python -m benchmarks.accuracy.signals.rhythms`` then trains on DS1 and judges DS2
once for each of `NETWORKS`: the plan's own choice, convolutions with a recurrence, a recurrence. After each it writes
``results/signals-rhythms.json``. Finished runs of the same code are kept, so that a command that was interrupted goes
on when it is given again. ``--records 5`` goes the whole way with the first minutes of a few records of each half and a
few steps, and writes nothing among the results.

In DS1 two patients have this rhythm, of records 201 and 203. 201 and 202 are of one person, who lies in both halves:
one of them is left out. Usually 201 gives way by itself, as whoever is judged keeps the place. One patient is then left
to learn the rhythm from, and validation is of windows of records that are learned from (the run says so).
``--leave-out 202`` takes the other one out of what is judged: then 203 teaches and 201 validates, and nobody is in two
parts. Its result has a name of its own.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.classify.judged import dumped
from benchmarks.accuracy.signals.beats_folders import ONE_PERSON, inside, official, one_person_said, some_of, without
from benchmarks.accuracy.signals.mitbih import Asked
from benchmarks.accuracy.signals.plain_runs import TRIAL, answered_by, cost, keep, note, noted, trained
from benchmarks.accuracy.signals.rhythm_figures import Window, by_rhythm, figures, windows
from benchmarks.record import code, provenance, read_result
from hounsfield.core.report import Figure, Report

MINUTES = 6.0
RHYTHM = "AFIB"
NETWORKS: dict[str, tuple[str, ...]] = {
    "planned": (),
    "convolutional-recurrent": ("--network", "convolutional-recurrent"),
    "recurrent": ("--network", "recurrent"),
}
HALVES = (
    ("201", "101", "106", "109", "115", "118", "119", "208", "209", "215", "230"),
    ("203", "108", "112", "114", "116", "122", "124", "205", "207", "220", "223"),
)
"""Two halves of the training half by record; in each one patient with the rhythm and six with other irregular ones."""
TRIAL_RECORDS = ("203", "219")
"""Records that have the rhythm within what a trial sees of them, besides 201."""
KEPT = ("auroc", "average_precision", "sensitivity", "specificity", "ppv", "npv", "balanced_accuracy", "brier")
COMMAND = "python -m benchmarks.accuracy.signals.rhythms"
INSIDE = "rhythms-inside"

Rows = dict[str, object]


def told_without_202(folder: Path) -> Path:
    """Return all records but 202, with the column that says who they are of."""
    return without(one_person_said(folder), ONE_PERSON[1])


FOLDERS = {ONE_PERSON[0]: one_person_said, ONE_PERSON[1]: told_without_202}
"""What ``hu train`` is given, by the record of the person in both halves that is not used."""


def run_of(source: Path, network: str, seed: int, asked: Asked) -> Path:
    """Return the run of ``hu train`` on a folder with a network, made now or before by the same code."""
    name = f"rhythms-{source.name}-{network}-seed{seed}-{asked.name}"
    return trained(source, name, words_of(network, seed, asked), TRIAL if asked.records else None)


def words_of(network: str, seed: int, asked: Asked) -> list[str]:
    """Return the options that ``hu train`` is given."""
    return ["--target", RHYTHM, *asked.words, "--seed", str(seed), *NETWORKS[network]]


def one(run: Path, folder: Path) -> Rows:
    """Return what is kept of one run: the report's own figures and baselines, and those of windows by record.

    Parameters
    ----------
    run : Path
    folder : Path
        Of the records, with their annotations.
    """
    report = Report.model_validate_json((run / "report.json").read_text(encoding="utf-8"))
    part, own = report.parts[report.judged_part], windows(run, RHYTHM)
    point = report.targets[report.target.name].operating_point
    return {
        "part": report.judged_part,
        "windows": part.samples,
        "patients": part.patients,
        "classes": part.classes,
        "refused": part.refused,
        "not_run": part.not_run,
        "split": report.split_rule,
        "figures": _some(part.metrics),
        "operating_point": point.model_dump() if point else None,
        "baselines": {
            name: {"figures": _some(found.metrics), "difference": _some(found.difference), "ties": found.ties}
            for name, found in report.baselines.items()
        },
        "by_record": figures(own),
        "by_rhythm": by_rhythm(own, folder),
        "answered_by": answered_by(run),
        "cost": cost(run),
    }


def inside_ds1(folder: Path, network: str, seeds: Sequence[int], asked: Asked) -> Rows:
    """Return figures of both halves of DS1, each judged by what the other taught; nothing of DS2 is read.

    Parameters
    ----------
    folder : Path
        Of all records.
    network : str
    seeds : sequence of int
    asked : Asked
        Of each run.
    """
    found: Rows = {}
    for seed in seeds:
        both: list[Window] = []
        halves: Rows = {}
        for held_out in HALVES:
            part = inside(one_person_said(folder), held_out)
            run = run_of(part, network, seed, asked)
            halves[held_out[0]] = one(run, part)
            both += windows(run, RHYTHM)
            print(
                f"inside DS1, {network}, seed {seed}, {held_out[0]} and others: {_line(halves[held_out[0]])}",
                flush=True,
            )
        found[str(seed)] = {"halves": halves, "both": figures(both)}
        print(f"inside DS1, {network}, seed {seed}, both: {_shares(figures(both))}", flush=True)
    return found


def measured(networks: Sequence[str], folder: Path, seeds: Sequence[int], *, asked: Asked, leaving: str) -> None:
    """Train and judge each network; write the figures after each run.

    Parameters
    ----------
    networks : sequence of str
    folder : Path
        Of all records.
    seeds : sequence of int
    asked : Asked
    leaving : str
        Which record of the person in both halves is left out.
    """
    source = FOLDERS[leaving](folder)
    name = "signals-rhythms" + ("" if leaving == ONE_PERSON[0] else f"-without_{leaving}")
    rows: Rows = {} if asked.records else before(name)
    for network in networks:
        own: Rows = {}
        for seed in seeds:
            own[str(seed)] = one(run_of(source, network, seed, asked), source)
            print(f"{network}, seed {seed}: {_line(own[str(seed)])}", flush=True)
            rows[network] = {
                "minutes": asked.minutes,
                "command": f"hu train {source.name} {' '.join(words_of(network, 0, asked))}",
                "seeds": own,
            }
            content = {
                **provenance(f"{COMMAND} --seeds {len(seeds)} --minutes {asked.minutes:g} --leave-out {leaving}"),
                "data": "mitbih_arrhythmia, lead MLII, de Chazal's DS1 to train and DS2 to test, paced records left "
                f"out; windows of 10 s of one rhythm, {RHYTHM} against all others; intervals over patients",
                "left_out": leaving,
                "networks": rows,
                "inside_ds1": noted(INSIDE),
            }
            keep(name, content, trial=bool(asked.records))


def before(name: str) -> Rows:
    """Return networks that the same code was measured with before: they stay where others are named."""
    found = read_result(name) or {}
    networks = found.get("networks")
    return dict(networks) if found.get("code") == code() and isinstance(networks, dict) else {}


def main() -> None:
    """Train, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside-ds1", action="store_true", help="within DS1: nothing of DS2 is judged or written")
    parser.add_argument("--only", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of each run")
    parser.add_argument(
        "--leave-out", choices=FOLDERS, default=ONE_PERSON[0], help="record of the person in both halves"
    )
    parser.add_argument("--records", type=int, default=0, help="so many records of each half: a trial, no figures")
    wanted = parser.parse_args()
    folder = some_of(official(), wanted.records, must=TRIAL_RECORDS) if wanted.records else official()
    asked, seeds = Asked(wanted.minutes, records=wanted.records), range(wanted.seeds)
    if not wanted.inside_ds1:
        measured(wanted.only, folder, seeds, asked=asked, leaving=wanted.leave_out)
        return
    for network in wanted.only:
        chosen = inside_ds1(folder, network, seeds, asked)
        if not wanted.records:
            note(INSIDE, {network: {"minutes": wanted.minutes, "seeds": chosen}})


def _some(metrics: dict[str, Figure]) -> dict[str, dict[str, object]]:
    return {name: own for name, own in dumped(metrics).items() if name in KEPT}


def _line(found: object) -> str:
    told = _dict(found)
    said = [f"{n} {_span(_dict(told['figures'])[n])}" for n in ("auroc", "sensitivity", "ppv")]
    beside = [
        f"{name} {_span(_dict(_dict(own)['figures']).get('auroc'))}" for name, own in _dict(told["baselines"]).items()
    ]
    return f"{', '.join(said)}; {_shares(told['by_record'])}; auroc of baselines: {', '.join(beside)}"


def _shares(found: object) -> str:
    told = _dict(found)
    return ", ".join(f"{n} {told[n]}" for n in ("windows", "unanswered", "sensitivity", "ppv", "burden_error"))


def _span(figure: object) -> str:
    told = _dict(figure)
    value, low, high = (told.get(k) for k in ("value", "low", "high"))
    if not isinstance(value, float):
        return "undefined"
    return f"{value:.3f}" + (f" ({low:.3f}-{high:.3f})" if isinstance(low, float) and isinstance(high, float) else "")


def _dict(value: object) -> Rows:
    return value if isinstance(value, dict) else {}


if __name__ == "__main__":
    main()
