"""Runs of plain ``hu train`` for benchmarks: made once by the same code, and by a changed plan where one is named.

A run that was interrupted goes on when the same command is given again; a finished one is only read. Figures are
written after each run, so that what was measured is kept when a later run fails.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.record import RUNS, code, write_result
from hounsfield.bundle.plans import read_plan, write_plan
from hounsfield.core.cohort import Roles
from hounsfield.core.plan import Decision, Plan, PlanValue
from hounsfield.data.cohorts import cohort_yaml, samples_csv, understand

Changes = Mapping[tuple[str, str], PlanValue]
"""Section and key of a plan, and the value that is written there before training."""
CHANGED = "changed by hand in plan.yaml"
TRIAL: Changes = {
    ("optimisation", "steps"): 40,
    ("ensemble", "members"): 2,
    ("ensemble", "workers"): 2,
}
"""What a trial changes of a plan without a limit of time: two networks, side by side, that learn next to nothing."""


def trained(source: Path, name: str, words: Sequence[str], changes: Changes | None = None) -> Path:
    """Return a run, made now or before by the same code.

    Parameters
    ----------
    source : Path
        What ``hu train`` is given.
    name : str
        Of the run, without the digest of the code.
    words : sequence of str
        Options of ``hu train``.
    changes : mapping, optional
        What is changed of the plan between ``hu plan`` and ``hu train plan.yaml``, as a user would.
    """
    out = RUNS / f"{name}-{code()}"
    if (out / "report.json").exists() and not (out / ".work").exists():
        return out
    if not changes:
        _hu("train", str(source), *words, "--out", str(out))
        return out
    planned, draft = out.with_suffix(".plan.yaml"), out.with_suffix(".draft.yaml")
    if not planned.exists():  # another plan would be another run: one that was interrupted goes on with its own
        draft.unlink(missing_ok=True)
        _hu("plan", str(source), *words, "--out", str(draft))
        write_plan(planned, changed(read_plan(draft), changes))
        draft.unlink()
    _hu("train", str(planned), "--out", str(out))
    return out


def changed(plan: Plan, changes: Changes) -> Plan:
    """Return a plan with other values; KeyError where it has no such decision."""
    sections = {name: dict(section) for name, section in plan.sections.items()}
    for (section, key), value in changes.items():
        before = sections[section][key]
        sections[section][key] = Decision(value=value, rule=CHANGED, evidence=f"planned: {before.value}")
    return plan.model_copy(update={"sections": sections})


def with_inputs(folder: Path, name: str, target: str, inputs: Sequence[str]) -> Path:
    """Return a folder whose ``cohort.yaml`` and ``samples.csv`` keep some inputs of each sample, as a user corrects it.

    Parameters
    ----------
    folder : Path
        Of the data.
    name : str
        Of the new folder, beside it.
    target : str
    inputs : sequence of str
        Names of those that are kept.
    """
    fewer = folder.with_name(name)
    fewer.mkdir(parents=True, exist_ok=True)
    cohort = understand(folder, Roles(target=(target,)))
    specs = tuple(spec for spec in cohort.schema.inputs if spec.name in inputs)
    if len(specs) != len(inputs):
        raise ValueError(f"the inputs are {[s.name for s in cohort.schema.inputs]}, not {list(inputs)}")
    samples = tuple(replace(s, inputs={n: s.inputs[n] for n in inputs}) for s in cohort.samples)
    kept = replace(cohort, samples=samples, schema=cohort.schema.model_copy(update={"inputs": specs}))
    for file, text in (
        ("samples.csv", samples_csv(kept)),
        ("cohort.yaml", cohort_yaml(kept, root=f"../{folder.name}")),
    ):
        draft = fewer / f"{file}.draft"
        draft.write_text(text, encoding="utf-8")
        draft.replace(fewer / file)
    return fewer


def cost(run: Path) -> dict[str, object]:
    """Return what a run took, what it promised, and whether the clock stopped it."""
    told = json.loads((run / "report.json").read_text(encoding="utf-8"))["cost"]
    return {k: told[k] for k in ("seconds", "predicted_seconds", "peak_mib", "steps", "stopped_by_clock")}


def answered_by(run: Path) -> dict[str, object]:
    """Return who answers: the encoder of each input, how many networks, and which other learner stands beside them."""
    plan = read_plan(run / "plan.yaml")
    encoders = {name.partition(".")[2]: plan.sections[name] for name in plan.sections if name.startswith("encoder.")}
    if not encoders:
        encoders = {"": plan.sections["network"]}
    said = ("family", "cell", "missing", "bidirectional", "width")
    beside = plan.value("ensemble", "features")
    return {
        "encoders": {n: {k: own[k].value for k in said if k in own} for n, own in encoders.items()},
        "networks": plan.value("ensemble", "members"),
        "beside": plan.value("ensemble", "beside") if beside else None,
    }


def keep(name: str, content: Mapping[str, object], *, trial: bool) -> Path:
    """Write figures: into ``results/``, or beside the runs where they are of a trial and no figures."""
    if not trial:
        return write_result(name, content)
    RUNS.mkdir(parents=True, exist_ok=True)
    path = RUNS / f"trial-{name}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"  trial: wrote {path.name} beside the runs", flush=True)
    return path


def note(name: str, figures: Mapping[str, object]) -> None:
    """Add figures of the training half alone to what `noted` gives, until a full run of the same code takes them."""
    RUNS.mkdir(parents=True, exist_ok=True)
    (RUNS / f"{name}-{code()}.json").write_text(json.dumps({**noted(name), **figures}, indent=1), encoding="utf-8")


def noted(name: str) -> dict[str, object]:
    """Return what `note` was given under a name by the same code; empty where that is nothing."""
    path = RUNS / f"{name}-{code()}.json"
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _hu(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "hounsfield.cli", *words], check=True)
