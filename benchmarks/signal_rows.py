"""Rows of tables on signals: beats, rhythms, records, stays, R peaks and forecasts, as they were measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from benchmarks.cells import inside, met, number, results, titled

SHORT = {
    "accuracy": "accuracy",
    "mean_sensitivity": "mean sensitivity",
    "jk": "jk",
    "auroc": "AUC",
    "event_1": "event 1",
    "burden_error": "share of a record off by",
}
FIRST = "0"
"""The seed that is judged."""


@dataclass(frozen=True)
class SignalRow:
    """One row.

    Parameters
    ----------
    data, task, budget, measured, verdict, beside : str
    short : bool
        Whether it stands in the README too.
    """

    data: str
    task: str
    budget: str
    measured: str
    verdict: str
    beside: str
    short: bool = False


def signal_rows() -> list[SignalRow]:
    """Return every row for which there is a result."""
    return [*_beats(), *_rhythms(), *_stays(), *_records(), *_peaks(), *_forecasts(), *_days()]


def signals() -> str:
    """Return all rows as one table."""
    head = ("data", "task", "budget", "measured", "must and aim", "beside it")
    rows = [[r.data, f"`{r.task}`", r.budget, r.measured, r.verdict, r.beside] for r in signal_rows()]
    return titled("Signals, seed 0", head, rows)


def _beats() -> Iterator[SignalRow]:
    for found in results("signals-mitbih-*"):
        one = inside(found, "seeds", FIRST)
        name = str(found["command"]).split("--only ")[1].split()[0]
        said = ", ".join(_spanned(one, key) for key in ("accuracy", "mean_sensitivity", "jk"))
        classes = " ".join(
            f"{c} {number(one, f'sensitivity:{c}'):.3f}/{number(one, f'ppv:{c}'):.3f}" for c in ("N", "S", "V", "F")
        )
        others = "; ".join(
            f"{other} " + "/".join(f"{value:.3f}" for value in cast("dict[str, float]", own).values())
            for other, own in inside(found, "others").items()
        )
        yield SignalRow(
            f"mitbih_arrhythmia DS1 → DS2, {name.replace('_', ' ')}",
            "classify",
            f"took {number(one, 'cost', 'seconds') / 60:.1f} min",
            f"{said}; sensitivity/PPV {classes}{_likeliest(one)}",
            _verdicts(found),
            others,
            short=name == "official",
        )


def _likeliest(one: Mapping[str, object]) -> str:
    """Return what becomes of the most probable class; nothing where that was not measured."""
    if "most_probable_class" not in one:
        return ""
    likely = inside(one, "most_probable_class")
    return "; the most probable class: " + ", ".join(
        _spanned(likely, key) for key in ("accuracy", "mean_sensitivity", "jk")
    )


def _rhythms() -> Iterator[SignalRow]:
    for found in results("signals-rhythms*"):
        usual = found.get("left_out") == "201"
        for name, of_network in inside(found, "networks").items():
            one = inside(of_network, "seeds", FIRST)
            said = [
                f"{named} {_figure(inside(one, 'figures', key))}"
                for key, named in (("auroc", "AUC"), ("sensitivity", "sensitivity"), ("ppv", "PPV"))
            ]
            areas = {k: inside(own, "figures", "auroc") for k, own in inside(one, "baselines").items()}
            areas = {k: area for k, area in areas.items() if number(area, "value") >= 0}
            best = max(areas, key=lambda k: number(areas[k], "value"), default="")
            less = inside(one, "baselines", best, "difference", "auroc")
            off = _spanned(inside(one, "by_record"), "burden_error")
            yield SignalRow(
                f"mitbih_arrhythmia DS1 → DS2, atrial fibrillation, {name}" + ("" if usual else ", 202 left out"),
                "classify",
                f"took {number(one, 'cost', 'seconds') / 60:.1f} min",
                f"{', '.join(said)}; {off}",
                f"AUC above {best} {_figure(less)}" if best else "–",
                "; ".join(f"{k} AUC {_figure(area)}" for k, area in areas.items()) or "–",
                short=usual and name == "planned",
            )


def _stays() -> Iterator[SignalRow]:
    for found in results("signals-stays-*"):
        one = inside(found, "seeds", FIRST)
        name = str(found["command"]).split("--only ")[1].split()[0]
        others = "; ".join(
            f"{other} " + ", ".join(f"{SHORT[k]} {v:g}" for k, v in cast("dict[str, float]", own).items())
            for other, own in inside(found, "others").items()
        )
        yield SignalRow(
            f"cinc2012_icu, death, set a → b, {name}",
            "classify",
            f"took {number(one, 'cost', 'seconds') / 60:.1f} min",
            ", ".join(_spanned(one, key) for key in ("auroc", "event_1")),
            _verdicts(found),
            others,
            short=name == "planned",
        )
    for found in results("signals-stays"):
        for name in inside(found, "learners"):
            one = inside(found, "learners", name)
            musts, aims = inside(found, "must"), inside(found, "aim")
            said = "; ".join(
                f"{SHORT[key]} > {number(musts, key):g}: {met(number(one, key) > number(musts, key))}, "
                f"aim {number(aims, key):g} {met(number(one, key) > number(aims, key))}"
                for key in musts
            )
            measured = ", ".join(_spanned(one, key) for key in ("auroc", "event_1"))
            yield SignalRow(f"cinc2012_icu, death, set a → b, learner {name}", "classify", "–", measured, said, "–")


def _records() -> Iterator[SignalRow]:
    for found in results("signals-kernels"):
        for name, one in inside(found, "sets").items():
            low, high = cast("tuple[float, float]", inside(one)["interval"])
            wanted = number(one, "must")
            goal = "–"
            if "must" in inside(one):
                reached = met(number(one, "accuracy") >= number(one, "aim"))
                goal = f"{wanted:g}: {met(inside(one).get('met'))}, aim {number(one, 'aim'):g} {reached}"
            rocket, near = number(one, "published_rocket"), number(one, "neighbours", "accuracy")
            yield SignalRow(
                f"{name}, random kernels",
                "classify",
                f"took {number(one, 'seconds', 'fit_seconds'):.1f} s",
                f"accuracy {number(one, 'accuracy'):.4f} ({low:.3f}–{high:.3f})",
                goal,
                f"ROCKET, published {rocket:.3f}; nearest neighbour {near:.3f}",
                short="must" in inside(one),
            )
        if "others_below_rocket" in found:
            below, most = number(found, "others_below_rocket"), number(found, "others_may_be_below")
            verdict = f"at most {most:g}: {met(found.get('others_met'))}"
            told = f"{below:+.4f} under published ROCKET"
            yield SignalRow("the other sets of ucr_medical, mean", "classify", "–", told, verdict, "–")


def _peaks() -> Iterator[SignalRow]:
    for found in results("r-peaks"):
        pooled, worst = inside(found, "pooled"), inside(found, "worst_record")
        cells = []
        for key, name in (("sensitivity", "sensitivity"), ("ppv", "PPV")):
            low, high = cast("tuple[float, float]", inside(found, "intervals")[key])
            cells.append(f"{name} {number(pooled, key):.4f} ({low:.4f}–{high:.4f})")
        least = min(number(pooled, "sensitivity"), number(pooled, "ppv"))
        yield SignalRow(
            "mitbih_arrhythmia, R peaks of 44 records, 150 ms",
            "measure",
            f"{number(found, 'seconds_of_detection'):.0f} s for {number(found, 'hours_of_recording'):.0f} h",
            ", ".join(cells),
            f"{number(found, 'must'):g}: {met(least > number(found, 'must'))}, aim {number(found, 'aim'):g} "
            f"{met(least > number(found, 'aim'))}",
            f"worst record {worst.get('record')}: {number(worst, 'sensitivity'):.3f}/{number(worst, 'ppv'):.3f}",
            short=True,
        )


def _forecasts() -> Iterator[SignalRow]:
    for found in results("signals-forecast-*"):
        figures = inside(found, "figures")
        if not figures:
            continue  # what could be saved at all, with no forecaster in it
        name = str(found["command"]).split("--only ")[1].split()[0]
        listed = figures.get("outcomes")
        for place, outcome in enumerate(listed if isinstance(listed, list) else []):
            method, best = str(figures["method"]), str(outcome["best_baseline"])
            own, other = inside(outcome, "methods", method), inside(outcome, "methods", best)
            kept = inside(found, "met", str(outcome["name"]))
            saved = inside(outcome, "saved")
            yield SignalRow(
                f"{name}, {outcome['name']}",
                "prognose",
                f"took {number(found, 'minutes'):.0f} min in all",
                f"MAE {_figure(inside(own, 'mae'))} {figures['unit']}, {100 * number(saved, 'value'):.1f}% "
                f"({100 * number(saved, 'low'):.1f}–{100 * number(saved, 'high'):.1f}) saved; "
                f"90% interval covers {100 * number(own, 'coverage', 'value'):.1f}%",
                f"10% saved: {met(kept.get('saved_10'))}, aim 20% {met(kept.get('saved_20'))}; "
                f"covers 87–93%: {met(kept.get('coverage'))}",
                f"{best} MAE {_figure(inside(other, 'mae'))}",
                short=place == 0,
            )


def _days() -> Iterator[SignalRow]:
    for found in results("speed-day-of-ecg"):
        day, must = inside(found, "day"), number(found, "must_seconds")
        yield SignalRow(
            "24 hours of ECG, beats classified",
            "classify",
            f"{number(day, 'seconds'):.1f} s",
            f"{number(day, 'seconds'):.1f} s, {number(day, 'peak_mib'):.0f} MiB at most",
            f"under {must:g} s: {met(number(day, 'seconds') < must)}",
            f"one hour {number(found, 'hour', 'seconds'):.1f} s",
        )


def _spanned(one: dict[str, object], key: str) -> str:
    ends = inside(one, "intervals").get(key)
    low, high = ends if isinstance(ends, list) and None not in ends else (float("nan"), float("nan"))
    return f"{SHORT[key]} {number(one, key):.3f} ({low:.3f}–{high:.3f})"


def _figure(found: dict[str, object]) -> str:
    return f"{number(found, 'value'):.3f} ({number(found, 'low'):.3f}–{number(found, 'high'):.3f})"


def _verdicts(found: dict[str, object]) -> str:
    said = []
    aims = inside(found, "aim")
    for name, one in inside(found, "must").items():
        aim = inside(aims, name)
        goal = f", aim {number(aim, 'wanted'):g} {met(aim.get('met'))}" if aim else ""
        said.append(f"{SHORT[name]} > {number(one, 'wanted'):g}: {met(inside(one).get('met'))}{goal}")
    return "; ".join(said)
