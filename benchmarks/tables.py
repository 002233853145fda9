"""Write the measured figures into the READMEs, from ``results/`` alone."""

from collections.abc import Callable, Mapping
from typing import cast

from benchmarks.beside import nnunet, pyradiomics
from benchmarks.cells import TOP, Figures, Result, inside, met, number, results, span, titled
from benchmarks.signal_rows import signal_rows, signals

BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
HEADS = {
    "README.md": "| data | task | budget | measured (test part) | beside it |",
    "README.zh-CN.md": "| 数据 | 任务 | 预算 | 测得（测试集） | 对照 |",
}
WORDS = {
    "README.md": {
        "logistic": "logistic regression AUC",
        "textbook": "textbook CNN AUC",
        "took": "took",
        "min": "min",
        "folds": "folds",
    },
    "README.zh-CN.md": {
        "logistic": "逻辑回归 AUC",
        "textbook": "教科书 CNN AUC",
        "took": "用时",
        "min": "分钟",
        "folds": "折",
    },
}
ANNOTATE = "annotate-"
MASK_METRICS = {"pixel_auroc": "pixel AUC", "dice_pooled": "pooled Dice"}
DETAILS = "benchmarks/README.md"
PAGES = (*HEADS, DETAILS)


def table(page: str) -> str:
    """Return the table for one page, with a row per result of seed 0."""
    words = WORDS[page]
    rows = [HEADS[page], "|---|---|---|---|---|"]
    for found in results("*-seed0", but=ANNOTATE):
        figures = cast(Figures, found["figures"])
        command = str(found["command"])
        minutes = command.split("--minutes ")[1].split(maxsplit=1)[0]
        folds = f", {found['folds']} {words['folds']}" if found.get("folds") else ""
        baselines = cast("dict[str, dict[str, Figures]]", found["baselines"])
        beside = [f"{words['logistic']} {span(baselines['logistic']['metrics'], 'auroc')}"]
        if "textbook" in found:
            beside.append(f"{words['textbook']} {span(cast(Figures, found['textbook']), 'auroc')}")
        took = number(found, "cost", "seconds") / 60
        rows.append(
            f"| {found['data']} | `classify` | {minutes} {words['min']}{folds}, {words['took']} {took:.1f} "
            f"| AUC {span(figures, 'auroc')}, accuracy {span(figures, 'accuracy')} | {'; '.join(beside)} |"
        )
    measured = [
        f"| {r.data} | `{r.task}` | {r.budget.replace('took', words['took']).replace('min', words['min'])} "
        f"| {r.measured} | {r.beside} |"
        for r in signal_rows()
        if r.short
    ]
    return "\n".join([*rows, *_mask_rows(words), *measured])


def _mask_rows(words: Mapping[str, str]) -> list[str]:
    """Return a row for each result of `annotate`."""
    rows = []
    for found in results(f"{ANNOTATE}*-seed0"):
        figures = cast(Figures, found["metrics"])
        _, name, *options = str(found["command"]).split()[1:]
        folds = f", {options[options.index('--folds') + 1]} {words['folds']}" if "--folds" in options else ""
        budget = f"{options[options.index('--minutes') + 1]} {words['min']}{folds}"
        said = [f"Dice {span(figures, 'dice')}"]
        for metric in cast("dict[str, float]", found["must"]):
            if metric != "dice":
                said.append(f"{MASK_METRICS.get(metric, metric)} {span(figures, metric)}")
        beside = [
            f"{other.replace('_', ' ')} Dice {span(cast(Figures, own), 'dice')}"
            for other, own in inside(found, "baselines").items()
        ]
        took = number(found, "cost", "seconds") / 60
        rows.append(
            f"| {name} | `annotate` | {budget}, {words['took']} {took:.1f} | {', '.join(said)} | {'; '.join(beside)} |"
        )
    return rows


def details() -> str:
    """Return all tables of ``benchmarks/README.md``."""
    made = [
        _accuracy(),
        _masks(),
        nnunet(),
        signals(),
        _seeds(),
        _resplits(),
        _left_out(),
        _reference(),
        pyradiomics(),
        _profile(),
        _throughput(),
        _memory(),
        _cost(),
    ]
    return "\n\n".join(text for text in made if text)


def _accuracy() -> str:
    rows = []
    for found in results("*-seed0", but=ANNOTATE):
        figures = cast(Figures, found["figures"])
        said = []
        for name, one in inside(found, "must").items():
            aim = inside(found, "aim", name)
            goal = f", aim {number(aim, 'wanted'):g} {met(aim.get('met'))}" if aim else ""
            wanted, above = number(one, "wanted"), number(one, "above")
            said.append(f"{name} > {wanted:g}: {met(inside(one).get('met'))} ({above:+.3f}){goal}")
        if "textbook_excluded" in found:
            difference = cast(Figures, found["network_minus_textbook"])
            said.append(f"less the textbook CNN {span(difference, 'auroc')}: {met(found['textbook_excluded'])}")
        faulty = cast(Figures, found.get("without_faulty") or {})
        without = f"AUC {faulty['auroc']['value']:.3f}, accuracy {faulty['accuracy']['value']:.3f}" if faulty else "–"
        members = " + ".join(f"{count} {name}" for name, count in inside(found, "members").items()) or "–"
        rows.append(
            [
                str(found["data"]),
                str(found.get("part", "")),
                f"{span(figures, 'auroc')}",
                f"{span(figures, 'accuracy')}",
                "; ".join(said) or "–",
                without,
                members,
                f"{number(found, 'cost', 'seconds') / 60:.1f}",
            ]
        )
    head = ("data", "part", "AUC", "accuracy", "must and aim", "without faulty samples", "members", "minutes")
    return titled("Accuracy, seed 0", head, rows)


def _masks() -> str:
    rows = []
    for found in results(f"{ANNOTATE}*-seed*"):
        figures = cast(Figures, found["metrics"])
        said = []
        aims = inside(found, "aim")
        for name, wanted in cast("dict[str, float]", found["must"]).items():
            above = number(figures, name, "value") - wanted
            verdict = met(inside(found, "aim_reached").get(name))
            goal = f", aim {number(aims, name):g} {verdict}" if name in aims else ""
            kept = met(inside(found, "must_reached").get(name))
            said.append(f"{MASK_METRICS.get(name, name)} > {wanted:g}: {kept} ({above:+.3f}){goal}")
        if "rank_reached" in found:
            ranks = ", ".join(
                f"{label} {span(figures, name)}" for label, name in (("it", "quality_rank"), ("size", "size_rank"))
            )
            said.append(f"rank of the expected Dice: {met(found['rank_reached'])} ({ranks})")
        false = span(figures, "false_positive_rate") if number(figures, "false_positive_rate", "low") >= 0 else "–"
        rows.append(
            [
                f"`{found['command']}`",
                str(found["part"]),
                str(found["samples"]),
                span(figures, "dice"),
                "; ".join(said),
                false,
                f"{number(found, 'cost', 'seconds') / 60:.1f}",
            ]
        )
    head = ("command", "part", "cases", "Dice", "must and aim", "healthy images marked", "minutes")
    return titled("Masks", head, rows)


def _seeds() -> str:
    by_set: dict[str, list[Result]] = {}
    for found in results("*-seed*", but=ANNOTATE):
        by_set.setdefault(str(found["data"]), []).append(found)
    rows = []
    for name, several in by_set.items():
        if len(several) < 2:
            continue
        cells = []
        for metric in ("auroc", "accuracy"):
            values = [number(f, "figures", metric, "value") for f in several]
            cells.append(f"{sum(values) / len(values):.3f} ({min(values):.3f}–{max(values):.3f})")
        rows.append([name, str(len(several)), *cells])
    return titled("Mean and range over seeds", ("data", "seeds", "AUC", "accuracy"), rows)


def _resplits() -> str:
    rows = []
    for found in results("*-resplits"):
        for metric, named in (
            ("auroc", "AUC"),
            ("accuracy", "accuracy"),
            ("margin_over_logistic", "AUC above logistic"),
        ):
            one = inside(found, metric)
            if not one:
                continue
            verdict = "inside" if one.get("inside") else "outside"
            reached = f"{number(one, 'low'):.3f}–{number(one, 'high'):.3f}"
            rows.append([str(found["data"]), named, f"{number(one, 'official'):.3f}", reached, verdict])
    head = ("data", "figure", "official split", "range of random re-splits", "official lies")
    return titled("Random re-splits by patient, frozen rules", head, rows)


def _left_out() -> str:
    rows = []
    for found in results("leave-one-out"):
        for data, one in inside(found, "sets").items():
            for name, variant in inside(one, "variants").items():
                auc = number(variant, "figures", "auroc", "value")
                change = inside(variant, "minus_plan", "auroc")
                said = "–"
                if change:
                    spread = f"({number(change, 'low'):+.3f} to {number(change, 'high'):+.3f})"
                    said = f"{number(change, 'value'):+.4f} {spread}"
                rows.append([data, name, f"{auc:.4f}", said])
    head = ("data", "rule taken back", "AUC, official validation part", "less the plan's")
    return titled("What each rule is worth, at a quarter of the budget, one seed", head, rows)


def _reference() -> str:
    rows = []
    for found in results("speed-reference"):
        said = inside(found, "verdict")
        source = "a whole run" if said.get("targets_are_of_whole_runs") else "a few epochs"
        runs = said.get("by_run")
        for run in runs if isinstance(runs, list) else []:
            reached = run.get("reached")
            rows.append(
                [
                    f"{number(run, 'target'):.4f} (epoch {number(run, 'best_epoch'):.0f} of {source})",
                    f"{number(inside(found, 'reference'), 'seconds_100_epochs'):.0f} s",
                    f"{number(run, 'reached'):.0f} s" if reached is not None else "not reached",
                    f"{number(run, 'times_sooner_than_100_epochs'):.1f} times" if reached is not None else "–",
                    f"{number(run, 'times_sooner_than_its_best_epoch'):.1f} times" if reached is not None else "–",
                    met(run.get("met")),
                ]
            )
    head = (
        "reference's best validation AUC",
        "reference, 100 epochs",
        "ours to that AUC",
        "sooner than 100 epochs",
        "than its best epoch",
        "3 times",
    )
    return titled("Training to the same validation AUC, pneumoniamnist", head, rows)


def _profile() -> str:
    rows = []
    for found in results("speed-profile"):
        for size, one in inside(found, "sizes").items():
            parts = {k: number(one, "shares", k) for k in inside(one, "shares")}
            slow = ", ".join(f"{k} {v:.1%}" for k, v in sorted(parts.items(), key=lambda i: -i[1]))
            step = f"{number(one, 'milliseconds_per_step'):.0f} ms"
            rows.append([size, step, slow, f"{number(one, 'inside'):.1%}", met(inside(one).get("met"))])
    head = ("pixels", "step", "where the time goes", "inside the network", "> 90 %")
    return titled("A training step", head, rows)


def _throughput() -> str:
    rows = []
    for found in results("speed-throughput"):
        for size, one in inside(found, "sizes").items():
            speeds = inside(one, "one_thread_steps_per_second")
            cells = [f"{number(speeds, k):.2f}" for k in (str(inside(one).get("ours")), "float32")]
            ratios = [f"{number(one, 'ratio'):.2f}", f"{number(one, 'machine_ratio'):.2f}"]
            rows.append([size, *cells, *ratios, met(inside(one).get("met"))])
    head = (
        "network by pixels",
        "ours, steps/s",
        "float32, steps/s",
        "ratio, one thread",
        "ratio, whole machine",
        "2.2 times",
    )
    return titled("Step throughput, same network and batch", head, rows)


def _memory() -> str:
    rows = []
    for found in results("speed-memory"):
        peaks = inside(found, "peak_mib")
        for verb in inside(found, "ratio"):
            cells = [f"{number(peaks, count, verb):.0f} MiB ({count})" for count in peaks]
            rows.append([verb, *cells, f"{number(found, 'ratio', verb):.2f}", met(found.get("met"))])
    return titled("Peak memory with ten times the pictures", ("verb", "few", "many", "ratio", "at most 1.3"), rows)


def _cost() -> str:
    rows = []
    for found in results("speed-cost"):
        for kind in ("with_minutes", "without_minutes"):
            for name, one in inside(found, kind).items():
                cells = []
                for key in ("seconds", "seconds_per_step", "peak_mib"):
                    part = inside(one, key)
                    known = part.get("met") is not None
                    cells.append(f"{number(part, 'error'):+.0%} {met(part.get('met'))}" if known else "–")
                rows.append([name if kind == "with_minutes" else f"generated, {name} px, no minutes", *cells])
    head = ("run", "seconds (25 %)", "step (15 %)", "memory (20 %)")
    return titled("Predicted less taken", head, rows)


def filled(page: str) -> str:
    """Return a page with its table written anew."""
    text = (TOP / page).read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    make: Callable[[], str] = details if page == DETAILS else lambda: table(page)
    return f"{before}{BEGIN}\n{make()}\n{END}{after}"


def main() -> None:
    """Rewrite the pages."""
    for page in PAGES:
        (TOP / page).write_text(filled(page), encoding="utf-8")


if __name__ == "__main__":
    main()
