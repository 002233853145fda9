"""Signals in a report with what speaks for the answer along time, as far as the plan has time for it."""

import base64
from collections.abc import Mapping

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, TargetSpec
from hounsfield.core.errors import HounsfieldError
from hounsfield.core.progress import Progress
from hounsfield.core.protocols import Decoding, Task
from hounsfield.core.report import TracePicture
from hounsfield.learn.explain.view import explained_input
from hounsfield.learn.model import member_job
from hounsfield.stages.explaining.result import Explained
from hounsfield.workflow.explaining import Explainer, ExplainWishes
from hounsfield.workflow.explaining_cases import Case, Gathered, PartName, choose
from hounsfield.workflow.planned_maps import asked_maps
from hounsfield.workflow.predictions import Rows, say

METHOD = "occlusion"
"""The map of a report: it hears members that are no networks too."""


def traces(
    rows: Rows,
    cohort: Cohort,
    target: TargetSpec,
    *,
    task: Task,
    contents: BundleContents,
    decodings: Mapping[int, Mapping[str, Decoding]],
    progress: Progress,
) -> tuple[TracePicture, ...]:
    """Return explained signals of the judged part: the surest errors, then the surest right answers.

    Parameters
    ----------
    rows : Rows
        Of the judged part.
    cohort : Cohort
    target : TargetSpec
        The primary one.
    task : Task
    contents : BundleContents
    decodings : mapping of int to mapping
        By fold, -1 for the whole model; then by target.
    progress : Progress

    Notes
    -----
    Members that have not seen a sample explain it. A signal that cannot be read again is left out.
    """
    number = asked_maps(contents.plan)
    preparation = member_job(contents.members[0]).preparation
    if number < 1 or preparation[explained_input(preparation)].kind_name != "signal":
        return ()
    cases = []
    for row in rows.rows:
        said = say(row.judgement, (target,), task=task, decodings=decodings[row.fold]).targets[target.name]
        truth = row.sample.targets.get(target.name)
        raw = row.judgement.outputs[target.name]
        cases.append(Case(row.sample, row.fold, raw, said, row.judgement.flags, truth))
    part: PartName = "cv" if any(case.fold >= 0 for case in cases) else "test"
    folds = {case.sample.id: case.fold for case in cases if case.fold >= 0}
    gathered = Gathered(cohort, tuple(case.sample for case in cases), part, folds)
    explainer = Explainer(contents, gathered, ExplainWishes(number=number, methods=(METHOD,)), None)
    chosen = choose([case for case in cases if case.error is not None], number)
    found = []
    with progress.step("Explaining", float(len(chosen))) as shown:
        for place, case in enumerate(chosen):
            try:
                made = explainer.explained(case, place, {}, shown)
            except HounsfieldError:
                continue
            found.append(_picture(made.scores, made.picture, part))
    return tuple(found)


def _picture(scores: Explained, svg: bytes, part: str) -> TracePicture:
    first = scores.maps[0] if scores.maps else None
    return TracePicture(
        sample=scores.sample,
        part=part,
        truth=scores.truth,
        predicted=scores.predicted,
        answer=scores.answer,
        score=scores.score,
        blank=scores.blank,
        p=None if first is None else first.p,
        shown=first is not None and first.shown,
        reason="" if first is None else first.reason,
        svg=base64.b64encode(svg).decode("ascii"),
    )
