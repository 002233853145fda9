"""Train: the whole flow, from a folder to a judged bundle, resumable at any moment."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import write_json, write_text
from hounsfield.bundle.locks import FolderLock
from hounsfield.bundle.plans import read_plan, write_plan
from hounsfield.bundle.run_folder import RunFolder, default_run_path
from hounsfield.bundle.sealed import open_sealed, seal
from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.plan import Plan
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.report import Report
from hounsfield.core.types import Json
from hounsfield.learn.loop import Watch
from hounsfield.learn.ranks import Ranks, joined
from hounsfield.learn.threads import settle_threads
from hounsfield.workflow.checkpoints import FileStore, Pace
from hounsfield.workflow.fitting import Fitted, Fold, Hands
from hounsfield.workflow.jobs import Prepared
from hounsfield.workflow.memory import give_back
from hounsfield.workflow.planning import REPORT_SECONDS, processes, settle
from hounsfield.workflow.reports import Ran
from hounsfield.workflow.roads import Fed, road_of
from hounsfield.workflow.study import SEEN, Seen, Source, Study, seen_digests, study, with_roles
from hounsfield.workflow.tensorboard import observer
from hounsfield.workflow.unfit import remembered, told
from hounsfield.workflow.warming import UNLABELLED, settled
from hounsfield.workflow.wishes import Wishes


@dataclass(frozen=True)
class Run:
    """A finished run.

    Parameters
    ----------
    path : Path
        Run folder.
    report : Report
    """

    path: Path
    report: Report


def train(source: Source, *, out: Path | None = None, wishes: Wishes = Wishes(), progress: Progress = SILENT) -> Run:
    """Train, judge and report.

    Parameters
    ----------
    source : str, Path or iterable
        Folder, file, samples, or a ``plan.yaml`` that `plan` wrote.
    out : Path or None
        Run folder; ``runs/<name of the data>`` if None. An unfinished run of the same data and wishes is continued,
        to the same bits as one left alone; anything else that exists is refused.
    wishes : Wishes
    progress : Progress

    Returns
    -------
    Run

    Raises
    ------
    RunExistsError
        If `out` holds something else.
    InputError, PlanError
        If data or plan cannot be used.
    """
    began = time.perf_counter()
    with joined(processes()) as ranks:
        settle(wishes, processes=ranks.world)
        given, data = _given_plan(source)
        wishes = _wishes_of(given, wishes)
        known = study(data, wishes, progress=progress)
        if given is not None and given.cohort_digest != known.digest:
            raise PlanError(
                "The plan was made for other data: samples, answers or parts differ.",
                expected="the cohort that the plan was made for",
                next_step="plan again: hu plan DATA --out plan.yaml",
            )
        path = out or default_run_path(known.cohort.name)
        flow = _Flow(known, wishes, path, lambda: time.perf_counter() - began, progress)
        if not ranks.first:
            return flow.beside(ranks)
        key = {"data": known.digest, "wishes": _digest(wishes, given, known.beside.wishes)}
        with RunFolder.begin(path, key=key, clock=_now) as folder:
            return flow.through(folder, given, ranks)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _digest(wishes: Wishes, given: Plan | None, beside: Mapping[str, str]) -> str:
    facts = {
        **{k: v for k, v in asdict(wishes).items() if k != "brief"},  # what came of it is in the plan
        "lang": "",
        "tensorboard": False,
        "threads": wishes.threads,
        "plan": given.model_dump_json() if given else "",
        "unlabelled": beside.get("unlabelled_digest", ""),
        "encoder": beside.get("encoder", ""),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _given_plan(source: Source) -> tuple[Plan | None, Source]:
    if not isinstance(source, str | Path):
        return None, source
    path = Path(source)
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        return None, source
    text = path.read_text(encoding="utf-8", errors="replace")
    if "sections:" not in text:
        return None, source
    given = read_plan(path)
    if not given.source:
        raise PlanError(
            "The plan does not say where its data lie.",
            expected="the line source: in plan.yaml, as hu plan --out writes it",
            next_step="add source: and the folder of the data, relative to plan.yaml",
        )
    return given, path.parent / given.source


def _wishes_of(given: Plan | None, wishes: Wishes) -> Wishes:
    if given is None:
        return wishes
    wishes = with_roles(wishes, given.roles)
    return replace(wishes, task=given.task, seed=given.seed, folds=given.folds, minutes=given.budget.minutes)


class _Flow:
    """The stages of one run, in order."""

    def __init__(
        self, known: Study, wishes: Wishes, path: Path, elapsed: Callable[[], float], progress: Progress
    ) -> None:
        self.known = known
        self.road = road_of(known.task)
        self.wishes = wishes
        self.path = path
        self.elapsed = elapsed
        self.progress = progress

    def through(self, folder: RunFolder, given: Plan | None, ranks: Ranks) -> Run:
        """Go from the study to the report."""
        try:
            self._write_findings(folder)
            plan = self._sealed_plan(folder)
            planned = None if plan is not None else self._planned(folder, given)
            self._tell_unfit(folder, planned)
        except BaseException:
            ranks.any(here=True)
            raise
        ranks.any(here=False)  # the others may go on: plan and memory maps are there
        fitted: Fitted | None = None
        if planned is not None:
            plan, prepared = planned
            ranks.any(here=False)
            fitted = self._made(folder, plan, prepared, ranks)
        else:
            ranks.any(here=True)  # sealed before: nothing is left to fit
        contents = open_sealed(folder.bundle)
        if settled(contents.plan).on:
            write_json(folder.path / SEEN, Seen(digests=tuple(seen_digests(self.known, warmed=True))))
        ran = Ran(
            plan=plan if plan is not None else contents.plan,
            known=self.known,
            prevalence=self.wishes.prevalence,
            folds=dict(self.known.split.folds),
            created=_now(),
            seconds_per_step=fitted.seconds_per_step if fitted is not None else None,
            workers_mib=fitted.workers_mib if fitted is not None else 0.0,
        )
        report, table = self.road.report(contents, ran, elapsed=self.elapsed, progress=self.progress)
        self._write_report(folder, report, table)
        folder.finish()
        ranks.wait()
        return Run(folder.path, report)

    def _sealed_plan(self, folder: RunFolder) -> Plan | None:
        """Return the plan of a bundle that a killed run had sealed already, or None."""
        if not (folder.continued and folder.bundle.exists()):
            return None
        try:
            open_sealed(folder.bundle)
        except BundleError:
            import shutil

            shutil.rmtree(folder.bundle)
            return None
        return read_plan(folder.plan)

    def _made(self, folder: RunFolder, plan: Plan, prepared: Fed, ranks: Ranks) -> Fitted:
        """Fit and seal."""
        folder.log("planned", {"steps": _as_int(plan.value("optimisation", "steps"))})
        folds = self.folds(plan, prepared)
        fitted = self.fitted(plan, prepared, folds, folder, ranks)
        folder.log("fitted", {"steps": fitted.steps, "stopped_by_clock": fitted.stopped_by_clock})
        give_back()
        notes = self._curves(plan, prepared, folds, folder) | self._repeats(plan, folder)
        seal(
            folder.bundle,
            self.road.assemble(plan, self.known, prepared, folds, fitted=fitted, progress=self.progress, notes=notes),
        )
        folder.log("sealed", {"members": len(fitted.members)})
        return fitted

    def _curves(self, plan: Plan, prepared: Fed, folds: list[Fold], folder: RunFolder) -> dict[str, Json]:
        """Measure the learning curves that the plan has; the clock may end them, never a figure of the report."""
        from hounsfield.workflow.learning_curve import DOCUMENT, Room, affordable_curves, curves_json

        if "curve" not in plan.sections or plan.value("curve", "baseline") is not True:
            return {}
        if not isinstance(prepared, Prepared):
            return {}
        self.progress.say("Measuring learning curves")
        steps = _as_int(plan.value("curve", "network_steps"))
        room = Room(left=0.0, wanted=True, steps=steps)
        return {
            DOCUMENT: curves_json(affordable_curves(plan, self.known, prepared, folds, room=room, kept=folder.work))
        }

    def _repeats(self, plan: Plan, folder: RunFolder) -> dict[str, Json]:
        """Validate what learns from rows again and again, as often as the plan has it."""
        from hounsfield.workflow.repeating import DOCUMENT, measured_repeats

        found = measured_repeats(plan, self.known, kept=folder.work, progress=self.progress)
        return {DOCUMENT: found.model_dump(mode="json")} if found is not None else {}

    def beside(self, ranks: Ranks) -> Run:
        """Help with the optimisation as one of several processes, and read the report that the first one writes."""
        if ranks.any(here=False):
            raise PlanError(
                "The first process could not plan the run.",
                expected="its message above",
                next_step="correct that first",
            )
        if not ranks.any(here=False):
            folder = RunFolder(self.path, continued=True, lock=FolderLock(self.path / ".work" / "lock"))
            plan = read_plan(folder.plan)
            prepared = self.road.prepare(plan, self.known, work=folder.work, progress=self.progress)
            self.fitted(plan, prepared, self.folds(plan, prepared), folder, ranks)
        ranks.wait()
        return Run(self.path, Report.model_validate_json((self.path / "report.json").read_text(encoding="utf-8")))

    def _write_findings(self, folder: RunFolder) -> None:
        from hounsfield.data.cohorts import cohort_yaml, samples_csv

        write_text(folder.cohort, cohort_yaml(self.known.cohort))
        write_text(folder.samples, samples_csv(self.known.cohort))
        write_json(folder.audit, self.known.audit)
        write_json(folder.fingerprint, self.known.fingerprint)
        if self.wishes.unlabelled:
            write_json(folder.path / UNLABELLED, self.known.beside.unlabelled)
        write_json(folder.path / SEEN, Seen(digests=tuple(seen_digests(self.known))))

    def _tell_unfit(self, folder: RunFolder, planned: tuple[Plan, Fed] | None) -> None:
        """Let the audit list what was found not to fit the plan, now or before the bundle was sealed."""
        known, work = self.known.audit, folder.work
        findings = remembered(known, work=work) if planned is None else told(planned[1], known, work=work)
        if findings is not known:
            self.known = replace(self.known, audit=findings)
            write_json(folder.audit, findings)

    def _planned(self, folder: RunFolder, given: Plan | None) -> tuple[Plan, Fed]:
        if folder.continued and folder.plan.exists():
            self.progress.say("Continuing an unfinished run with its own plan")
            folder.log("continued", {})
            plan = read_plan(folder.plan)
            settle_threads(plan.budget.threads)  # other threads would sum in another order
            return plan, self.road.prepare(plan, self.known, work=folder.work, progress=self.progress)
        if given is not None:
            self.road.check_plan(given, self.known)
            write_plan(folder.plan, given.model_copy(update={"source": ""}))
            return given, self.road.prepare(given, self.known, work=folder.work, progress=self.progress)
        plan, prepared = self.road.make_plan(
            self.known, self.wishes, work=folder.work, elapsed=self.elapsed, progress=self.progress
        )
        write_plan(folder.plan, plan)
        return plan, prepared

    def folds(self, plan: Plan, prepared: Fed) -> list[Fold]:
        """Return the rows of each member."""
        divided = self.known.split
        if not divided.folds:
            none = np.zeros(0, dtype=np.int64)
            return [Fold(*prepared.parts, none)]
        from hounsfield.core.split import INNER_SHARE
        from hounsfield.stages.splitting.dividing import carve
        from hounsfield.stages.splitting.strata import strata_of

        samples = self.known.samples(divided.folds)
        strata = strata_of(samples, plan.targets[0])
        made = []
        for number in range(plan.folds):
            inside = [s.id for s in samples if divided.folds[s.id] != number]
            held = carve(inside, divided.groups, strata, share=INNER_SHARE, seed=plan.seed + number)
            kept = [i for i in inside if i not in set(held)]
            out = [s.id for s in samples if divided.folds[s.id] == number]
            made.append(Fold(prepared.rows(kept), prepared.rows(held), prepared.rows(out)))
        return made

    def fitted(self, plan: Plan, prepared: Fed, folds: list[Fold], folder: RunFolder, ranks: Ranks) -> Fitted:
        """Fit baselines and members under the plan's clock."""
        minutes = plan.budget.minutes
        after = plan.value("cost", "after_seconds")
        free = float(after) if isinstance(after, int | float) else REPORT_SECONDS
        end = minutes * 60.0 - free if minutes is not None else float("inf")

        def left() -> float:
            return max(0.0, end - self.elapsed()) if minutes is not None else float("inf")

        def watching(waiting: int, name: str, store: FileStore) -> Watch:
            # Each member may use its share of what is left; the clock is a brake only.
            until = self.elapsed() + left() / waiting
            return Watch(
                store=store,
                brake=lambda step: self.elapsed() > until,
                end=Pace(lambda: until - self.elapsed()),
                progress=self.progress,
                ranks=ranks,
                observe=observer(folder.path / "tensorboard" / name, wanted=self.wishes.tensorboard and bool(name)),
            )

        hands = Hands(
            work=folder.work,
            watching=watching,
            clock=self.elapsed,
            left=left,
            progress=self.progress,
        )
        return self.road.fit(plan, self.known, prepared, folds, hands)

    def _write_report(self, folder: RunFolder, report: Report, table: str) -> None:
        from hounsfield.stages.reporting.page import render_html

        write_text(folder.predictions, table)
        write_text(folder.report_html, render_html(report, lang=self.wishes.lang))
        write_json(folder.report_json, report)


def _as_int(value: object) -> int:
    return value if isinstance(value, int) else 0
