"""Boxes around findings from a model that has seen image labels only: scored, where outlines exist, before shown."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import storage_error, write_json
from hounsfield.bundle.run_folder import find_bundle
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.errors import CohortError, HounsfieldError, InputError, RunExistsError, unknown_name
from hounsfield.core.image import Image
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.streams import address, stream
from hounsfield.core.types import BoolArray, Float32Array, Float64Array
from hounsfield.data.masks import read_mask
from hounsfield.data.words import nothing_there
from hounsfield.data.writers import writer
from hounsfield.learn.explain import METHODS
from hounsfield.learn.explain.curves import ends_of
from hounsfield.learn.explain.maps import map_of
from hounsfield.learn.model import member_job
from hounsfield.learn.prepare.back import put_back
from hounsfield.learn.prepare.image import as_images
from hounsfield.stages.explaining.boxes import (
    Tried,
    box_of,
    bright_and_dark,
    outlined,
    piece_at_peak,
    tried_map,
    tried_middle,
)
from hounsfield.stages.explaining.boxes_result import Boxes, BoxFound, ChosenShare, Reason
from hounsfield.stages.explaining.faithfulness import LEVEL, chance
from hounsfield.stages.explaining.localising import LEAST, MIDDLE, Choice, Judged, Marked, choose, judge
from hounsfield.workflow.explaining import Views, held_out, untrained_effects, verdicts_of
from hounsfield.workflow.explaining_cases import Case, Gathered, gather, judged
from hounsfield.workflow.forecast.unserved import refuse_forecast
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.study import learned_by
from hounsfield.workflow.survey import latest_image
from hounsfield.workflow.wishes import Wishes

JSON, TABLE = "boxes.json", "coco.json"
MOST = 200
"""Outlined images that boxes are chosen by, and scored on, at most: more narrow the intervals little."""
PATIENT_GROUPS = 5


@dataclass(frozen=True)
class BoxWishes:
    """What a user asks of boxes.

    Parameters
    ----------
    answer : str or None
        Class, label or level to box; every finding if None.
    methods : tuple of str
        Maps by name; Grad-CAM and occlusion if empty.
    number : int
        Images that are boxed where no outlines tell whether boxes are worth anything: each map then has to be better
        than random maps, which takes long.

    Raises
    ------
    InputError
        If the number is out of range or a method unknown.
    """

    answer: str | None = None
    methods: tuple[str, ...] = ()
    number: int = 8

    def __post_init__(self) -> None:
        for name in self.methods:
            if name not in METHODS:
                raise unknown_name("map", name, METHODS)
        if self.number < 1:
            raise InputError(f"--number is {self.number}.", expected="at least 1", next_step="correct the number")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Methods in the order of the table."""
        return tuple(n for n in METHODS if n in (self.methods or ("gradcam", "occlusion")))


def find_boxes(
    bundle: str | Path,
    inputs: Sequence[str | Path],
    *,
    out: Path | None = None,
    wishes: Wishes = Wishes(),
    asked: BoxWishes = BoxWishes(),
    progress: Progress = SILENT,
) -> Boxes:
    """Box what a classifier looks at where it sees a finding.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle of the task classify.
    inputs : sequence of str or Path
        As `hounsfield.workflow.explaining.explain` takes them.
    out : Path or None
        Folder for ``boxes.json``, ``coco.json`` and ``overlays/``; None writes nothing.
    wishes : Wishes
        Column overrides.
    asked : BoxWishes
    progress : Progress

    Returns
    -------
    Boxes

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    InputError
        If there is nothing to box.
    RunExistsError
        If `out` holds boxes already.

    Notes
    -----
    The box is that of the piece around the map's highest place in which the map reaches a share of that value. Map and
    share are those that fit outlined images best that are not scored: the validation part, the other folds, other
    patients. Where the boxes do not beat boxes of their size at random places (lower end of the 95% interval of the
    difference above 0), none is shown. Without ten outlined images each map has to beat random maps by itself.
    """
    began = time.perf_counter()
    _check_free(out)
    settle(wishes)
    contents = open_bundle(bundle)
    refuse_forecast(contents, "boxes")
    as_images(member_job(contents.members[0]).preparation, what="boxes")
    target = contents.plan.targets[0]
    findings = findings_of(target, asked.answer)
    gathered = gather(contents, [Path(p) for p in inputs], wishes, progress=progress)
    cases, left = judged(contents, gathered, progress=progress)
    if not cases:
        first = left[0].reason if left else "none"
        raise CohortError(
            f"None of the {len(gathered.samples)} images can be judged; the first: {first}",
            expected="images like those that the model was trained on",
            next_step="check that this is the right model for the data",
        )
    work = _Work(contents, gathered, asked, learned_by(find_bundle(Path(bundle)).parent))
    found = [(c, f) for c in cases if (f := finding_in(c, target, findings, asked.answer)) is not None]
    scores = work.scored(found, findings, progress)
    images = work.boxed(found, scores, out, progress)
    with_outline = [c for c in cases if work.has_outline(c.sample)]
    seen = {c.sample.id for c, _ in found}
    result = Boxes(
        hounsfield=contents.plan.hounsfield,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        cohort=gathered.cohort.name,
        part=gathered.part,
        target=target.name,
        findings=findings,
        methods=asked.chosen,
        mask=work.mask_name,
        looked_at=len(cases),
        without_finding=len(cases) - len(found),
        outlined=len(with_outline),
        outlined_without_finding=sum(c.sample.id not in seen for c in with_outline),
        scored=len(scores.marks),
        chosen_by=scores.chosen_by,
        chosen=scores.choices,
        figures={} if scores.judged is None else {k: dict(v) for k, v in scores.judged.figures.items()},
        differences={} if scores.judged is None else {k: dict(v) for k, v in scores.judged.differences.items()},
        shown=None if scores.judged is None else scores.judged.better_than_random,
        images=images,
        left_out=left,
        seconds=round(time.perf_counter() - began, 1),
    )
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error("The output folder", error) from error
        writer("coco").finish(out)
        write_json(out / JSON, result)
    return result


def findings_of(target: TargetSpec, answer: str | None) -> tuple[str, ...]:
    """Return the classes of a target that are boxed.

    Parameters
    ----------
    target : TargetSpec
    answer : str or None
        The one that is asked for.

    Raises
    ------
    InputError
        If the target is a number, or no class is a finding.
    UnknownNameError
        If there is no such class.

    Notes
    -----
    Of two classes the positive one; of several all whose names do not mean that nothing is there (``normal``,
    ``healthy``, ``no ...``); every label; every level above the lowest.
    """
    if target.kind == "number":
        raise InputError(
            f"The model answers with a number ({target.name}), and a number is nowhere in an image.",
            expected="a model with classes, labels or levels",
            next_step="look at hu explain without --boxes",
        )
    if answer is not None:
        if answer not in target.classes:
            raise unknown_name("class", answer, target.classes)
        return (answer,)
    if target.kind == "ordinal":
        return target.classes[1:]
    if target.kind == "categorical" and len(target.classes) == 2 and target.positive is not None:
        return (target.positive,)
    found = tuple(c for c in target.classes if target.kind == "multilabel" or not nothing_there(c))
    if not found:
        raise InputError(
            f"None of the classes {', '.join(target.classes)} names something to see.",
            expected="a class to box",
            next_step=f"name one: --class {target.classes[-1]}",
        )
    return found


def finding_in(case: Case, target: TargetSpec, findings: Sequence[str], answer: str | None) -> str | None:
    """Return the class, label or level that is boxed in a case; None where the model sees none.

    Parameters
    ----------
    case : Case
    target : TargetSpec
    findings : sequence of str
        See `findings_of`.
    answer : str or None
        The one that is asked for.
    """
    called = case.said.value if target.kind in ("multilabel", "ordinal") else case.called
    if isinstance(called, tuple):
        own = [c for c in called if c in findings]
        return max(own, key=lambda c: case.said.probabilities[c]) if own else None
    name = str(called)
    if target.kind == "ordinal" and answer is not None:
        return answer if target.classes.index(name) >= target.classes.index(answer) else None
    return name if name in findings else None


@dataclass(frozen=True)
class _Scores:
    """What is known of boxes before any is shown."""

    marks: tuple[Marked, ...]
    judged: Judged | None
    choices: tuple[ChosenShare, ...]
    chosen_by: str
    elsewhere: Choice
    own: dict[str, Choice]


@dataclass(frozen=True)
class _Image:
    """One image with its maps on its own grid."""

    image: Image
    maps: dict[str, Float32Array] = field(repr=False)


class _Work:
    """What boxing one image after another needs."""

    def __init__(
        self, contents: BundleContents, gathered: Gathered, asked: BoxWishes, learned: frozenset[str] | None
    ) -> None:
        self._contents = contents
        self._gathered = gathered
        self._asked = asked
        self._learned = learned
        self._views = Views(contents, gathered.cohort)
        self._seed = contents.plan.seed
        self._maps: dict[str, dict[str, Float64Array]] = {}
        every = (*gathered.samples, *gathered.validation)
        self.mask_name = next((name for s in every for name in s.masks), "")

    def scored(self, found: Sequence[tuple[Case, str]], findings: Sequence[str], progress: Progress) -> _Scores:
        """Choose and judge on outlined images."""
        methods = self._asked.chosen
        part = self._gathered.part
        fair = [(c, f) for c, f in found if held_out(self._gathered, c.sample, self._learned) is not False]
        marks = self._marked(fair, "boxes scored", progress, keep=True)
        choosing: list[Marked] | None = None
        chosen_by = "images of other folds" if part == "cv" else "images of other patients"
        if part == "test":
            other = replace(self._gathered, samples=self._gathered.validation)
            cases, _ = judged(self._contents, other, progress=progress)
            target = self._contents.plan.targets[0]
            seen = [(c, f) for c in cases if (f := finding_in(c, target, findings, self._asked.answer)) is not None]
            choosing = self._marked(seen, "boxes chosen", progress, keep=False)
            chosen_by = "validation images"
        enough = len(marks) >= LEAST
        result = judge(marks, methods, choosing=choosing, seed=self._seed) if enough else None
        last = choose(marks if choosing is None else choosing, methods)
        picked = dict(result.chosen) if result is not None else {}
        own = {m.sample: picked[m.group] for m in marks if m.group in picked}
        told = [
            ChosenShare(group=g, method=c.method, share=c.share, images=c.images) for g, c in sorted(picked.items())
        ]
        told.append(ChosenShare(group=-1, method=last.method, share=last.share, images=last.images))
        if not last.images:
            chosen_by = "rule"
        return _Scores(tuple(marks), result, tuple(told), chosen_by, last, own)

    def boxed(
        self, found: Sequence[tuple[Case, str]], scores: _Scores, out: Path | None, progress: Progress
    ) -> tuple[BoxFound, ...]:
        """Box every image with a finding, and write what is shown."""
        wanted = list(found) if scores.judged is not None else list(found)[: self._asked.number]
        boxes = []
        with progress.step("Boxes", float(len(wanted))) as shown:
            for place, (case, finding) in enumerate(wanted):
                boxes.append(self._one(case, finding, place, scores, out))
                shown.advance()
        return tuple(boxes)

    def _one(self, case: Case, finding: str, place: int, scores: _Scores, out: Path | None) -> BoxFound:
        choice = scores.own.get(case.sample.id, scores.elsewhere)
        reason: Reason = ""
        if scores.judged is not None and not scores.judged.better_than_random:
            reason = "no better than a random box"
        elif scores.judged is None and not self._faithful(case, finding, choice.method, place):
            reason = "map no better than random"
        region = None
        box = None
        if not reason:
            seen = self._seen(case, finding, (choice.method,))
            region = piece_at_peak(seen.maps[choice.method], choice.share)
            box = box_of(region)
            if box is None:
                reason = "map speaks for no place"
        told = BoxFound(
            sample=case.sample.id,
            finding=finding,
            probability=_probability(case, finding, self._contents.plan.targets[0]),
            method=choice.method,
            share=choice.share,
            low=box.low if box is not None else (),
            high=box.high if box is not None else (),
            shown=not reason,
            reason=reason,
            held_out=held_out(self._gathered, case.sample, self._learned),
        )
        if out is not None and box is not None and region is not None:
            self._write(case.sample, told, region, seen.image, out)
        return told

    def _write(self, sample: Sample, told: BoxFound, region: BoolArray, image: Image, out: Path) -> None:
        name = next(iter(sample.inputs))
        source = Source(sample.id, self._gathered.cohort, sample.inputs[name][-1].ref, image)
        sure = np.broadcast_to(np.float32(1.0 if told.probability is None else told.probability), (1, *region.shape))
        writer("coco").write(Annotation(region[None], (told.finding,), image.grid, sure), source, out)
        filled = np.zeros_like(region)
        filled[tuple(slice(a, b) for a, b in zip(told.low, told.high, strict=True))] = True
        both = np.stack([filled, region])
        names = (f"{told.finding}: box", f"{told.finding}: map at {told.share:.0%} of its highest")
        writer("overlay").write(Annotation(both, names, image.grid), source, out)

    def _faithful(self, case: Case, finding: str, method: str, place: int) -> bool:
        """Return whether a map beats random ones, and its answer depends on the image more than untrained ones do."""
        view = self._views.of(case, finding)
        values = map_of(method, view)
        if not verdicts_of(view, {method: values}, seed=self._seed, place=place)[method].better_than_random:
            return False
        ends = ends_of(view)
        untrained = untrained_effects(view, seed=self._seed)
        return not len(untrained) or chance(abs(ends.whole - ends.blank), untrained) < LEVEL

    def _marked(
        self, found: Sequence[tuple[Case, str]], purpose: str, progress: Progress, *, keep: bool
    ) -> list[Marked]:
        """Cut the maps of outlined images at every share, at most `MOST` of them, drawn at random."""
        own = [(c, f) for c, f in found if self.mask_name in c.sample.masks]
        order = stream(self._seed, purpose).permutation(len(own))
        marks: list[Marked] = []
        with progress.step("Outlined images", float(min(MOST, len(own)))) as shown:
            for number in order:
                if len(marks) == MOST:
                    break
                case, finding = own[int(number)]
                mask = self._mask(case.sample)
                if mask is None:
                    continue
                seen = self._seen(case, finding, self._asked.chosen, keep=keep)
                rng = stream(self._seed, "random boxes", 0, address(0, case.sample.id) % 2**31)
                marks.append(Marked(case.sample.id, case.sample.patient, self._group(case), _tried(seen, mask, rng)))
                shown.advance()
        return marks

    def _group(self, case: Case) -> int:
        if self._gathered.part == "elsewhere":
            return address(self._seed, f"box group {case.sample.patient}") % PATIENT_GROUPS
        return case.fold

    def _seen(self, case: Case, finding: str, methods: Sequence[str], *, keep: bool = False) -> _Image:
        """Return a case's image and maps on its own grid; maps that were kept are not made again."""
        view = self._views.of(case, finding)
        image = latest_image(self._gathered.cohort, case.sample, view.name)
        held = self._maps.get(case.sample.id, {})
        maps = {m: held[m] if m in held else map_of(m, view) for m in methods}
        if keep:
            self._maps[case.sample.id] = maps
        spec = as_images(view.voices[0].job.preparation, what="boxes")[view.name]
        return _Image(image, {m: put_back(values.astype(np.float32), image, spec) for m, values in maps.items()})

    def has_outline(self, sample: Sample) -> bool:
        """Return whether anything is outlined in a sample."""
        return self.mask_name in sample.masks and self._mask(sample) is not None

    def _mask(self, sample: Sample) -> BoolArray | None:
        """Return a sample's outline on the grid of its image; None where nothing is outlined or it cannot be read."""
        try:
            image = latest_image(self._gathered.cohort, sample, next(iter(sample.inputs)))
            values = read_mask(self._gathered.cohort, sample.masks[self.mask_name], image).array
        except HounsfieldError:
            return None
        inside: BoolArray = (values != 0).any(axis=0)
        return inside if inside.any() else None


def _probability(case: Case, finding: str, target: TargetSpec) -> float | None:
    """Return how probable the finding is; of levels, that it is at least this one."""
    shares = case.said.probabilities
    if target.kind != "ordinal":
        return shares.get(finding)
    return float(sum(shares[c] for c in target.classes[target.classes.index(finding) :])) if shares else None


def _tried(seen: _Image, mask: BoolArray, rng: np.random.Generator) -> dict[str, Tried]:
    truth = outlined(mask)
    found = {name: tried_map(values, truth, rng) for name, values in seen.maps.items()}
    bright, dark = bright_and_dark(seen.image.array.astype(np.float32).mean(axis=0))
    found[MIDDLE] = tried_middle(truth, rng)
    return {**found, "bright": tried_map(bright, truth, rng), "dark": tried_map(dark, truth, rng)}


def _check_free(out: Path | None) -> None:
    there = [] if out is None else [name for name in (JSON, TABLE) if (out / name).exists()]
    if there:
        raise RunExistsError(
            f"The output folder holds boxes already: {', '.join(there)}.",
            expected="a folder without them",
            next_step="choose another --out, or move them away",
        )
