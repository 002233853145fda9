"""Beats of MIT-BIH (mitbih_arrhythmia): plain ``hu train`` on the official division, N S V F, records left out.

``python -m benchmarks.accuracy.signals.mitbih --inside-ds1 [--seeds 3]`` trains and judges within DS1 alone, four parts
of its records left out in turn: everything is chosen there. ``python -m benchmarks.accuracy.signals.mitbih`` then
trains on DS1 and judges DS2 once, in `VARIANTS`: as the division is; without record 201, whose patient is also in DS2;
and the recurrent encoder alone, which reads beat after beat, with nothing beside it. Each is written as
``results/signals-mitbih-VARIANT.json`` when it is done. Beats are counted as they are called, at the plan's operating
point; what becomes of the most probable class, and of all classes alike, stands beside. Finished runs of the same code
are kept, so that a command that was interrupted goes on when it is given again. ``--records 5`` goes the whole way with
the first minutes of a few records of each half and a few steps, and writes nothing among the results.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.signals.beats_figures import (
    CLASSES,
    OTHER,
    Beat,
    figures,
    judged,
    likeliest,
    per_record,
    verdict,
    weighed_alike,
)
from benchmarks.accuracy.signals.beats_folders import (
    HELD_OUT,
    ONE_PERSON,
    TARGET,
    beats_alone,
    inside,
    official,
    one_person_said,
    signal_alone,
    signal_and_rhythm,
    some_of,
    with_others_hidden,
)
from benchmarks.accuracy.signals.plain_runs import TRIAL, answered_by, cost, keep, note, noted, trained
from benchmarks.record import provenance

MINUTES = 14.0
"""Of the 15 that there are: what a plan promises is a wall time, reading and report included."""
WITHIN_S = 900.0
INSIDE_MINUTES = 8.0
FOLDS = 5
"""Over the training records: each network leaves a fifth of the hearts out, which calibrate it, and all are learned
from. Within DS1, four parts by record, one seed, networks of the plan: accuracy .953, mean sensitivity .658, jk .740 of
five networks, each of another four fifths; .948, .644 and .720 of two that leave the same records out."""
MUST = {"accuracy": 0.93, "mean_sensitivity": 0.70, "jk": 0.70}
AIM = {"accuracy": 0.95, "mean_sensitivity": 0.80, "jk": 0.80}
MUST_ALONE = {"accuracy": 0.91, "mean_sensitivity": 0.60}
NAMED = ("232", "213")
"""Records that hold most test beats of class S, and most of class F."""
OTHERS = {
    "ensemble of SVMs (Mondejar-Guerra 2019)": {"accuracy": 0.945, "mean_sensitivity": 0.703, "jk": 0.773},
    "Zhang 2014": {"accuracy": 0.883, "mean_sensitivity": 0.868, "jk": 0.663},
    "Mar 2011": {"accuracy": 0.899, "mean_sensitivity": 0.802, "jk": 0.649},
    "de Chazal 2004": {"accuracy": 0.862, "mean_sensitivity": 0.832, "jk": 0.612},
}
COMMAND = "python -m benchmarks.accuracy.signals.mitbih"
INSIDE = "mitbih-inside"


@dataclass(frozen=True)
class Variant:
    """One way to train on DS1.

    Parameters
    ----------
    folder : callable
        Makes the folder that ``hu train`` is given out of that of all records.
    must : dict of str to float
    words : tuple of str
        Further options.
    usual : bool
        Whether it is measured where no variant is named.
    """

    folder: Callable[[Path], Path]
    must: dict[str, float]
    words: tuple[str, ...] = ()
    usual: bool = True


RECURRENT = ("--network", "recurrent")
SEQUENCE = ("--network", "beat-sequence")
VARIANTS = {
    "official": Variant(lambda folder: folder, MUST),
    "without_201": Variant(one_person_said, MUST),
    "recurrent_alone": Variant(beats_alone, MUST_ALONE, SEQUENCE),
    "recurrent_signal": Variant(signal_alone, MUST_ALONE, RECURRENT, usual=False),
    "recurrent_with_rhythm": Variant(signal_and_rhythm, MUST_ALONE, RECURRENT, usual=False),
}
"""The last two read the signal around a beat, sample after sample, alone and with the intervals around it beside, and
nothing of its form: measured where they are named."""


@dataclass(frozen=True)
class Asked:
    """What every run of the benchmark is asked for.

    Parameters
    ----------
    minutes : float
        Of each run.
    folds : int
        Folds over the training records, each of which calibrates the networks of the others; 0 leaves records out of
        training for that.
    records : int
        Of each half: a trial, of a few steps and no limit of time; 0 for all.
    """

    minutes: float
    folds: int = 0
    records: int = 0

    @property
    def words(self) -> list[str]:
        """Options of ``hu train``."""
        minutes = [] if self.records else ["--minutes", f"{self.minutes:g}"]
        return [*minutes, *(["--folds", str(self.folds)] if self.folds else [])]

    @property
    def name(self) -> str:
        """Part of the name of a run."""
        folds = f"-{self.folds}folds" if self.folds else ""
        return f"{self.minutes:g}min{folds}" + (f"-{self.records}records" if self.records else "")


def run_of(source: Path, name: str, seed: int, asked: Asked, *more: str) -> Path:
    """Return the run of ``hu train`` on a folder, made now or before by the same code."""
    words = [*asked.words, "--seed", str(seed), *more]
    words += [] if (source / "cohort.yaml").exists() else ["--target", TARGET]
    return trained(source, f"mitbih-{name}-seed{seed}-{asked.name}", words, TRIAL if asked.records else None)


def hidden_beats(run: Path, folder: Path) -> list[Beat]:
    """Return what a run takes the beats of class Q for."""
    from hounsfield.workflow.predicting import predict

    hidden, places = with_others_hidden(folder)
    if not places:
        return []
    found: list[Beat] = []
    for said in predict(run, [hidden]):
        record, _, at = said.sample.rpartition("_")
        if int(at.partition("#")[0]) in places.get(record, set()):
            answer = "" if said.refusal else str(next(iter(said.targets.values())).at_operating_point)
            found.append(Beat(record, OTHER, answer))
    if len(found) != sum(map(len, places.values())):
        raise ValueError(f"{len(found)} beats of class Q were answered, not {sum(map(len, places.values()))}")
    return found


def one(run: Path, folder: Path) -> dict[str, object]:
    """Return all figures of one run on DS2."""
    beats = judged(run)
    with_q = figures([*beats, *hidden_beats(run, folder)], (*CLASSES, OTHER))
    records = per_record(beats)
    return {
        **figures(beats),
        "q_counted_wrong": with_q,
        "most_probable_class": figures(likeliest(run)),
        "classes_weighed_alike": figures(weighed_alike(run)),
        "without_record_202": figures([b for b in beats if b.record != ONE_PERSON[1]]),
        "named_records": [row for row in records if row["record"] in NAMED],
        "per_record": records,
        "answered_by": answered_by(run),
        "cost": {**cost(run), "within_15_minutes": float(str(cost(run)["seconds"])) < WITHIN_S},
    }


def inside_ds1(folder: Path, seeds: Sequence[int], *, asked: Asked, alone: bool) -> dict[str, object]:
    """Return pooled figures of records of DS1 that were left out, for each seed; nothing of DS2 is read.

    Parameters
    ----------
    folder : Path
        Of all records.
    seeds : sequence of int
    asked : Asked
        Of each of four runs.
    alone : bool
        Whether the recurrent encoder over beats stands alone.
    """
    found: dict[str, object] = {}
    for seed in seeds:
        beats: list[Beat] = []
        likely: list[Beat] = []
        alike: list[Beat] = []
        for held_out in HELD_OUT:
            part = inside(folder, held_out)
            name = f"inside{'-alone' if alone else ''}-{held_out[0]}"
            run = run_of(beats_alone(part) if alone else part, name, seed, asked, *(SEQUENCE if alone else ()))
            beats += judged(run)
            likely += likeliest(run)
            alike += weighed_alike(run)
            print(f"inside DS1, seed {seed}, {held_out[0]} and others: {_line(figures(judged(run)))}", flush=True)
        others = {"most_probable_class": figures(likely), "classes_weighed_alike": figures(alike)}
        found[str(seed)] = {**figures(beats), **others, "per_record": per_record(beats)}
        for name, second in {"as called": found[str(seed)], **others}.items():
            print(f"inside DS1, seed {seed}, {name.replace('_', ' ')}: {_line(second)}", flush=True)
    return found


def main() -> None:
    """Train, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside-ds1", action="store_true", help="within DS1: nothing of DS2 is judged or written")
    parser.add_argument("--alone", action="store_true", help="with --inside-ds1: the recurrent encoder alone")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, default=None, help="of each run; others than the usual ones are named")
    parser.add_argument("--folds", type=int, default=None, help="folds of each run; 0 leaves some records out of all")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=[n for n, v in VARIANTS.items() if v.usual])
    parser.add_argument("--records", type=int, default=0, help="so many records of each half: a trial, no figures")
    wanted = parser.parse_args()
    folder = some_of(official(), wanted.records) if wanted.records else official()
    seeds = range(wanted.seeds)
    usual = 0 if wanted.records else FOLDS
    folds = usual if wanted.folds is None else wanted.folds
    if wanted.inside_ds1:
        asked = Asked(wanted.minutes or INSIDE_MINUTES, folds, wanted.records)
        chosen = inside_ds1(folder, seeds, asked=asked, alone=wanted.alone)
        name = ("recurrent_alone" if wanted.alone else "with_rows") + (f"_{folds}_folds" if folds else "")
        if not wanted.records:
            note(INSIDE, {name: chosen})
        return
    asked = Asked(wanted.minutes or MINUTES, folds, wanted.records)
    for name in wanted.only:
        measured(name, folder, seeds, asked)


def measured(name: str, folder: Path, seeds: Sequence[int], asked: Asked) -> None:
    """Train and judge one variant; write its figures after each seed."""
    variant = VARIANTS[name]
    source = variant.folder(folder)
    rows: dict[str, dict[str, object]] = {}
    for seed in seeds:
        run = run_of(source, name, seed, asked, *variant.words)
        rows[str(seed)] = one(run, folder)
        print(f"{name}, seed {seed}: {_line(rows[str(seed)])}", flush=True)
        given = f"hu train {source.name} {' '.join([*asked.words, *variant.words])}"
        given += "" if (source / "cohort.yaml").exists() else f" --target {TARGET}"
        content = {
            **provenance(f"{COMMAND} --only {name} --seeds {seed + 1} {' '.join(asked.words)}"),
            "data": "mitbih_arrhythmia, lead MLII, de Chazal's DS1 to train and DS2 to test, paced records and class Q "
            "left out, validation by leaving records of DS1 out; intervals over records",
            "commands": [given],
            "seeds": rows,
            "inside_ds1": noted(INSIDE),
            "must": verdict(rows["0"], variant.must),
            "must_most_probable_class": verdict(_dict(rows["0"]["most_probable_class"]), variant.must),
            "aim": verdict(rows["0"], AIM),
            "others": OTHERS,
        }
        keep(f"signals-mitbih-{name}", content, trial=bool(asked.records))


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _line(found: object) -> str:
    told = _dict(found)
    said = ", ".join(f"{n} {told[n]}" for n in ("accuracy", "mean_sensitivity", "jk"))
    shares = " ".join(f"{c} {told[f'sensitivity:{c}']}/{told[f'ppv:{c}']}" for c in CLASSES)
    return f"{said}; sensitivity/PPV {shares}"


if __name__ == "__main__":
    main()
