"""What each planning rule is worth: one decision taken back at a time, at a quarter of the budget.

Judged on the official validation part; a quarter of the training part takes its place. The test part is left out of
the file that is trained on.

python -m benchmarks.accuracy.classify.leave_one_out
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import hounsfield as hf
from benchmarks.accuracy.classify.judged import dumped
from benchmarks.accuracy.classify.sets import DataSet, read_sets
from benchmarks.record import provenance, read_result, write_result
from hounsfield.bundle.plans import read_plan, write_plan
from hounsfield.core.plan import Decision, Plan, PlanValue
from hounsfield.core.report import Report
from hounsfield.core.streams import stream

SETS = ("breastmnist", "pneumoniamnist")
SHARE = 0.25
BACK = "taken back"


def with_values(plan: Plan, section: str, **values: PlanValue) -> Plan:
    """Return the plan with other values in a section."""
    made = dict(plan.sections[section])
    made |= {key: Decision(value=value, rule=BACK) for key, value in values.items()}
    return plan.with_section(section, made)


def unchanged(plan: Plan) -> Plan:
    """Return the plan as the rules make it."""
    return plan


def without_augmentation(plan: Plan) -> Plan:
    """Let training images stay as they are."""
    still: dict[str, PlanValue] = {"flips": [], "rotation_deg": 0.0, "scale": [1.0, 1.0], "translation": 0.0}
    return with_values(plan, "augmentation", **still, intensity_chance=0.0)


def without_features(plan: Plan) -> Plan:
    """Leave out the linear model on scattering features."""
    return with_values(plan, "ensemble", features=False)


def one_network(plan: Plan) -> Plan:
    """Let one network answer in place of several, each of as many steps."""
    return with_values(plan, "ensemble", members=1, variant={})


def other_stem(plan: Plan) -> Plan:
    """Give all networks the other kind of first layer, learned or of fixed wavelets."""
    other = "small" if plan.value("network", "stem") == "wavelet" else "wavelet"
    return with_values(with_values(plan, "network", stem=other), "ensemble", variant={})


def one_stem(plan: Plan) -> Plan:
    """Give all networks the same kind of first layer."""
    return with_values(plan, "ensemble", variant={})


def without_averaging(plan: Plan) -> Plan:
    """Keep the last weights in place of their average."""
    return with_values(plan, "optimisation", averaging=0.0)


def norms_as_trained(plan: Plan) -> Plan:
    """Keep the statistics of batch norms that training on augmented images left."""
    return with_values(plan, "optimisation", plain_norms=False)


def hard_labels(plan: Plan) -> Plan:
    """Believe the labels wholly."""
    return with_values(plan, "optimisation", smoothing=0.0)


def without_views(plan: Plan) -> Plan:
    """Judge the image alone, not its mirror image too."""
    return with_values(plan, "ensemble", views=[])


def mean_pooling(plan: Plan) -> Plan:
    """Pool by the mean alone."""
    return with_values(plan, "network", pooling="mean")


VARIANTS: dict[str, Callable[[Plan], Plan]] = {
    f.__name__.replace("_", " "): f
    for f in (
        unchanged,
        without_augmentation,
        without_features,
        one_network,
        one_stem,
        other_stem,
        without_averaging,
        norms_as_trained,
        hard_labels,
        without_views,
        mean_pooling,
    )
}


def development(source: Path, folder: Path) -> Path:
    """Write an archive whose test part is the official validation part, and which lacks the official test part."""
    with np.load(source, allow_pickle=False) as whole:
        images, labels = whole["train_images"], whole["train_labels"]
        held = {"test_images": whole["val_images"], "test_labels": whole["val_labels"]}
    order = stream(0, "leave one out").permutation(len(images))
    own, val = order[len(order) // 4 :], order[: len(order) // 4]
    path = folder / source.name
    np.savez_compressed(
        path,
        train_images=images[own],
        train_labels=labels[own],
        val_images=images[val],
        val_labels=labels[val],
        **held,
    )
    return path


def measured(name: str, entry: DataSet, *, names: list[str]) -> dict[str, object]:
    """Train the plan and its variants, and return the figures of each with its difference from the plan."""
    minutes = SHARE * entry.minutes
    with TemporaryDirectory(prefix="hounsfield-bench-") as place:
        folder = Path(place)
        source = development(entry.source, folder)
        drafted = folder / "plan.yaml"
        hf.plan(source, minutes=minutes, out=drafted)
        plan = read_plan(drafted)
        found: dict[str, object] = {}
        for number, variant in enumerate(["unchanged", *(n for n in names if n != "unchanged")]):
            path = folder / f"plan-{number}.yaml"
            write_plan(path, VARIANTS[variant](plan))
            out = folder / f"run-{number}"
            hf.train(path, out=out)
            report = Report.model_validate_json((out / "report.json").read_text(encoding="utf-8"))
            part = report.parts[report.judged_part]
            told: dict[str, object] = {"figures": dumped({k: part.metrics[k] for k in ("auroc", "accuracy", "brier")})}
            if number:
                told["minus_plan"] = dumped(hf.compare(out, folder / "run-0").difference)
            found[variant] = told
            print(f"{name}, {variant}: AUC {part.metrics['auroc'].value:.4f}", flush=True)
    return {"minutes": minutes, "steps": plan.value("optimisation", "steps"), "variants": found}


def main() -> None:
    """Measure each set and write ``results/leave-one-out.json``."""
    sets = read_sets()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--variants", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--name", default="leave-one-out")
    wanted = parser.parse_args()
    for name in wanted.only:
        if not sets[name].source.exists():
            print(f"{name}: skipped, the data are not on this machine")
            continue
        made = measured(name, sets[name], names=wanted.variants)
        there = read_result(wanted.name) or {}
        before = there.get("sets")
        kept = before if isinstance(before, dict) else {}
        command = "python -m benchmarks.accuracy.classify.leave_one_out"
        judged = "official validation part; the test part was left out"
        write_result(wanted.name, {**provenance(command), "judged_on": judged, "sets": {**kept, name: made}})


if __name__ == "__main__":
    main()
