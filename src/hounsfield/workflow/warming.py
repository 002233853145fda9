"""What a run begins with beside its own samples: images without answers, and the weights of another encoder."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import Cohort, Sample, SetAside
from hounsfield.core.errors import InputError, PlanError
from hounsfield.core.kinds import input_kind
from hounsfield.core.plan import Decision, Plan
from hounsfield.core.progress import Progress
from hounsfield.core.types import AnyArray
from hounsfield.learn.warmup.spec import Warmup

if TYPE_CHECKING:
    from hounsfield.learn.feed import Feed
    from hounsfield.learn.learners.protocol import Job
    from hounsfield.workflow.survey import Survey

SECTION = "warmup"
UNLABELLED = "unlabelled.json"
"""File of a run folder that holds an `Unlabelled`."""
ENCODER = "encoder.safetensors"
"""File of the work folder that holds the first weights of the encoder."""


class Unlabelled(BaseModel):
    """What became of the images without answers; ``unlabelled.json`` of a run folder.

    Attributes
    ----------
    images : int
        Images that a warm-up may see.
    digest : str
        SHA-256 over their pixels, in their order; empty for none.
    repeats : tuple of str
        Left out: pictures of the cohort itself, of whatever part, or of another image of the folder; exact or near.
    set_aside : tuple of SetAside
        Left out: what cannot be read or used, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    images: int = 0
    digest: str = ""
    repeats: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True)
class Beside:
    """Images without answers and weights of another encoder, as they were found.

    Parameters
    ----------
    unlabelled : Unlabelled
    cohort : Cohort or None
        Of the images that may be seen.
    pixels : tuple of str
        Hashes of their pixels, see `hounsfield.stages.auditing.thumbnails.Glance`.
    encoder : str
        SHA-256 of the encoder file; empty for none.
    weights : mapping of str to numpy.ndarray
        Its tensors.
    """

    unlabelled: Unlabelled = field(default_factory=Unlabelled)
    cohort: Cohort | None = None
    pixels: tuple[str, ...] = ()
    encoder: str = ""
    weights: dict[str, AnyArray] = field(default_factory=dict, repr=False)

    @property
    def wishes(self) -> dict[str, str]:
        """Return what the rules of section ``warmup`` may know of it."""
        known = {"encoder": self.encoder, "unlabelled_digest": self.unlabelled.digest}
        counted = {"unlabelled": str(self.unlabelled.images)} if self.cohort is not None else {}
        return {k: v for k, v in known.items() if v} | counted


NOTHING = Beside()


def beside(
    folders: Sequence[str], encoder: str | None, *, cohort: Cohort, seen: "Survey", progress: Progress
) -> Beside:
    """Look at what was given beside the cohort.

    Parameters
    ----------
    folders : sequence of str
        Folders or files of images without answers.
    encoder : str or None
        A local safetensors file.
    cohort : Cohort
        All of it, test part and unusable samples too: none of its pictures may come in by the back door.
    seen : Survey
        Of the cohort.
    progress : Progress

    Raises
    ------
    InputError
        If there is no image, the cohort has several inputs, or the file is no safetensors file.
    """
    from hounsfield.bundle.weights import read_weights

    found = NOTHING
    if folders:
        found = _looked_at(folders, cohort, seen, progress)
    if encoder is not None:
        digest, weights = read_weights(Path(encoder))
        found = replace(found, encoder=digest, weights=weights)
    return found


def _looked_at(folders: Sequence[str], cohort: Cohort, seen: "Survey", progress: Progress) -> Beside:
    from hounsfield.data.cohorts import unlabelled
    from hounsfield.workflow.survey import survey

    if len(cohort.schema.inputs) != 1:
        raise InputError(
            f"--unlabelled is given, and the samples have {len(cohort.schema.inputs)} images each.",
            expected="samples of one image each: a loose image does not say which of several it is",
            next_step="leave --unlabelled out, or name one column with --image",
        )
    wanted = cohort.schema.inputs[0]
    if "unlabelled" in input_kind(wanted.kind).lacks:
        raise InputError(
            f"--unlabelled is given, and the samples are {input_kind(wanted.kind).plural}.",
            expected=f"images: {input_kind(wanted.kind).lacks['unlabelled']}",
            next_step="leave --unlabelled out",
        )
    loose = unlabelled(list(folders))
    samples = tuple(
        replace(s, id=f"unlabelled/{s.id}", patient=f"unlabelled/{s.id}", inputs={wanted.name: s.inputs["image"]})
        for s in loose.samples
    )
    loose = replace(loose, samples=samples, schema=loose.schema.model_copy(update={"inputs": (wanted,)}))
    looked = survey(loose, progress=progress)
    axes = {len(g.size) for g in seen.glances}
    aside = {a.sample: a.reason for a in looked.unreadable}
    aside |= {g.sample: g.fault for g in looked.glances if g.fault}
    aside |= {
        g.sample: f"{len(g.size)} space axes, the cohort's images have {max(axes)}"
        for g in looked.glances
        if axes and len(g.size) not in axes
    }
    usable = [s for s in samples if s.id not in aside]
    repeats = _repeats(cohort, seen, usable, looked)
    kept = tuple(s for s in usable if s.id not in repeats)
    pixels = {g.sample: g.digest for g in looked.glances}
    told = Unlabelled(
        images=len(kept),
        digest=hashlib.sha256("|".join(pixels[s.id] for s in kept).encode()).hexdigest() if kept else "",
        repeats=tuple(s.id for s in usable if s.id in repeats),
        set_aside=tuple(SetAside(sample=name, reason=reason) for name, reason in aside.items()),
    )
    progress.say(
        f"{told.images} images without answers; {len(told.repeats)} left out as repeats, {len(aside)} as unusable"
    )
    return Beside(told, replace(loose, samples=kept), tuple(pixels[s.id] for s in kept))


def _repeats(cohort: Cohort, seen: "Survey", loose: Sequence[Sample], looked: "Survey") -> set[str]:
    """Return which loose images repeat one of the cohort, exactly or nearly, or exactly one before them."""
    from hounsfield.stages.auditing.duplicates import find_repeats

    ours = {s.id for s in cohort.samples}
    found = find_repeats([*cohort.samples, *loose], [*seen.glances, *looked.glances], target=None)
    gone = {name for cluster in found.clusters if not ours.isdisjoint(cluster) for name in cluster} - ours
    return gone | {p.b for p in found.pairs if p.kind == "exact" and p.b not in ours}


def settled(plan: Plan) -> Warmup:
    """Return the plan's section ``warmup``; no warm-up where a plan has none."""
    return plan.section(SECTION, Warmup) if SECTION in plan.sections else Warmup()


def check_beside(plan: Plan, found: Beside) -> None:
    """Check that a plan's images and weights are those that were given.

    Raises
    ------
    PlanError
        If they are others, or were not given again.
    """
    warmup = settled(plan)
    for name, planned, given, option in (
        ("images without answers", warmup.unlabelled_digest, found.unlabelled.digest, "--unlabelled FOLDER"),
        ("encoder file", warmup.encoder, found.encoder, "--encoder FILE"),
    ):
        if planned != given:
            state = "were not given" if not given else "are others" if planned else "are not in the plan"
            raise PlanError(
                f"The plan's {name} {state}.",
                expected=f"SHA-256 {planned[:16]}..." if planned else f"no {option.split(' ')[0]}",
                next_step=f"give the same {option} as hu plan had" if planned else f"leave {option} out, or plan again",
            )


def with_beside(feed: "Feed", plan: Plan, found: Beside, *, work: Path, progress: Progress) -> "Feed":
    """Prepare what stands beside the samples in the work folder, where other processes find it, and join it to a feed.

    Parameters
    ----------
    feed : Feed
    plan : Plan
    found : Beside
    work : Path
        Folder of the memory maps.
    progress : Progress
    """
    from hounsfield.bundle.checkpoints import save_checkpoint
    from hounsfield.learn.feed import fill
    from hounsfield.learn.prepare.image import ImagePreparation

    check_beside(plan, found)
    if found.cohort is not None and settled(plan).method != "none":
        name = found.cohort.schema.inputs[0].name
        spec = plan.section(f"preparation.{name}", ImagePreparation)
        shape = (len(found.cohort), spec.channels, *spec.size)
        fill(work / f"unlabelled-{name}.npy", shape, spec.storage, _rows(found.cohort, name, spec, progress))
    if found.weights:
        save_checkpoint(work / ENCODER, found.weights, None)
    return stored_beside(feed, work)


def _rows(cohort: Cohort, name: str, spec: object, progress: Progress) -> Iterator[tuple[int, AnyArray]]:
    from hounsfield.learn.prepare.image import ImagePreparation, prepare
    from hounsfield.workflow.survey import latest_image

    settings = ImagePreparation.model_validate(spec)
    with progress.step("Preparing images without answers", float(len(cohort))) as shown:
        for row, sample in enumerate(cohort.samples):
            yield row, prepare(latest_image(cohort, sample, name), settings)
            shown.advance()


def stored_beside(feed: "Feed", work: Path) -> "Feed":
    """Return a feed with what `with_beside` left in the work folder."""
    from hounsfield.bundle.checkpoints import load_checkpoint
    from hounsfield.learn.maps import mapped

    paths = {name: work / f"unlabelled-{name}.npy" for name in feed.inputs}
    images = {n: mapped(p) for n, p in paths.items() if p.exists()}
    weights = load_checkpoint(work / ENCODER)
    return replace(feed, unlabelled=images, encoder=weights[0] if weights else {})


def with_match(plan: Plan, feed: "Feed", job: "Job") -> Plan:
    """Write into a plan how much of its encoder the file gives.

    Raises
    ------
    InputError
        If that is less than half.
    """
    if not feed.encoder:
        return plan
    from hounsfield.learn.nn.table import build
    from hounsfield.learn.warmup.transfer import match

    matched = match(build(job.network, seed=0), feed.encoder)
    section = dict(plan.sections[SECTION])
    decision = section["encoder"]
    section["encoder"] = Decision(value=decision.value, rule=decision.rule, evidence=str(matched))
    return plan.with_section(SECTION, section)
