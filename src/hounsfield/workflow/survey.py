"""One look at every sample: what the audit and the fingerprint need, from one decoding."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TypeAlias

import numpy as np

from hounsfield.core.audit import Audit
from hounsfield.core.block import Block
from hounsfield.core.cohort import DENSE_KINDS, Cohort, Sample, SetAside
from hounsfield.core.errors import HounsfieldError, ReadError
from hounsfield.core.image import Header, Image
from hounsfield.core.kinds import AS_IT_IS, BY_STRETCHES, AnyHeader, Content, Wanted
from hounsfield.core.progress import Progress
from hounsfield.data.kinds.protocol import content_reader
from hounsfield.data.masks import NO_MASK, read_mask, read_region
from hounsfield.data.readers import header, read
from hounsfield.stages.auditing.kinds import glancer
from hounsfield.stages.auditing.thumbnails import Album, Glance
from hounsfield.stages.fingerprinting.kinds import AnyLook, seer
from hounsfield.stages.fingerprinting.masks import MaskLook, label_doubts, mask_look
from hounsfield.workflow.record_blocks import TOGETHER, kind_of, read_block, record_of

Decoded: TypeAlias = tuple[Mapping[str, Content], Mapping[str, AnyHeader]]


@dataclass(frozen=True)
class Survey:
    """What was seen of a cohort.

    Parameters
    ----------
    glances : tuple of Glance
        One per readable sample.
    looks : mapping of str to mapping of str to look
        Input name to sample id to look, see `hounsfield.stages.fingerprinting.kinds`.
    unreadable : tuple of SetAside
    masks : mapping of str to mapping of str to MaskLook
        Mask target to sample id to look, where the cohort asks for masks.
    """

    glances: tuple[Glance, ...]
    looks: Mapping[str, Mapping[str, AnyLook]]
    unreadable: tuple[SetAside, ...]
    masks: Mapping[str, Mapping[str, MaskLook]] = field(default_factory=dict)


def survey(cohort: Cohort, *, progress: Progress) -> Survey:
    """Read every sample once; what cannot be read is set aside with the reason.

    Parameters
    ----------
    cohort : Cohort
    progress : Progress
    """
    glances: list[Glance] = []
    album = Album()
    specs = {spec.name: spec for spec in cohort.schema.inputs}
    seers = {name: seer(spec.kind) for name, spec in specs.items()}
    looks: dict[str, dict[str, AnyLook]] = {name: {} for name in specs}
    glanced = next((s for s in cohort.schema.inputs if s.kind == "image"), cohort.schema.inputs[0])
    glances_at = glancer(glanced.kind)
    unreadable: list[SetAside] = []
    outlined: dict[str, dict[str, MaskLook]] = {t.name: {} for t in cohort.schema.targets if t.kind in DENSE_KINDS}
    with progress.step("Reading", float(len(cohort))) as shown:
        for sample, decoded in _decoded(cohort, tuple(specs)):
            try:
                if isinstance(decoded, HounsfieldError):
                    raise decoded
                contents, headers = decoded
                marked = {name: _mask_look(cohort, sample, name, contents[glanced.name]) for name in outlined}
                seen = {  # of a long signal this reads it
                    name: seers[name].look(contents[name], headers[name], spec=spec, ref=sample.inputs[name][-1].ref)
                    for name, spec in specs.items()
                }
                first = glances_at.glance(sample.id, contents[glanced.name], headers[glanced.name], glanced)
            except HounsfieldError as error:
                unreadable.append(SetAside(sample=sample.id, reason=_said(error)))
            else:
                for name, own in seen.items():
                    looks[name][sample.id] = own
                for name, mask in marked.items():
                    outlined[name][sample.id] = mask
                glances.append(album.put(first))
            shown.advance()
    return Survey(tuple(glances), looks, tuple(unreadable), outlined)


def _decoded(cohort: Cohort, names: tuple[str, ...]) -> Iterator[tuple[Sample, Decoded | HounsfieldError]]:
    """Yield every sample with its contents and headers, or why it has none; the beats of one record read together."""
    for record, group in groupby(cohort.samples, key=record_of):
        while some := tuple(islice(group, TOGETHER if record is not None else 1)):
            together = None if record is None else _together(cohort, some, names)
            for place, sample in enumerate(some):
                if together is None:
                    yield sample, _alone(cohort, sample, names)
                else:
                    blocks, headers = together
                    yield sample, ({name: block.one(place) for name, block in blocks.items()}, headers)


def _together(
    cohort: Cohort, beats: tuple[Sample, ...], names: tuple[str, ...]
) -> tuple[Mapping[str, Block], Mapping[str, AnyHeader]] | None:
    """Return each input of beats of one record, and what its header says; None where one by one tells what is wrong."""
    blocks: dict[str, Block] = {}
    for name in names:
        block = read_block(cohort, beats, name)
        if block is None:
            return None
        blocks[name] = block
    try:
        return blocks, {name: reading_header(cohort, beats[0], name) for name in names}
    except HounsfieldError:
        return None


def _alone(cohort: Cohort, sample: Sample, names: tuple[str, ...]) -> Decoded | HounsfieldError:
    try:
        contents = {name: latest(cohort, sample, name, wanted=BY_STRETCHES) for name in names}
        return contents, {name: reading_header(cohort, sample, name) for name in names}
    except HounsfieldError as error:
        return error


def _said(error: HounsfieldError) -> str:
    """Return why a case is set aside: of masks with what was expected, and what to do."""
    return error.line() if isinstance(error, MaskError) else error.found


class MaskError(ReadError):
    """A mask that is there and cannot be used."""


def _mask_look(cohort: Cohort, sample: Sample, target: str, image: Content) -> MaskLook:
    if not isinstance(image, Image):
        raise ReadError("a mask beside an input that is no image", expected="a mask of an image")
    if target not in sample.masks:
        raise ReadError(NO_MASK, expected="a mask of the image", next_step="annotate it: hu queue says which first")
    if sample.masks[target].key() in {r.ref.key() for own in sample.inputs.values() for r in own}:
        # a table names a file that is not there, and another of its name was found: the image
        raise ReadError(
            f"{NO_MASK}: its name leads to the image itself",
            expected="a mask file",
            next_step="write the mask where the table says",
        )
    try:
        mask, region = read_mask(cohort, sample.masks[target], image), read_region(cohort, sample, image)
        if region is not None:
            mask = Image(np.where(region, mask.array, mask.array.dtype.type(0)), mask.grid)
        seen = mask_look(mask, image)
    except HounsfieldError as error:
        raise MaskError(error.found, expected=error.expected, next_step=error.next_step) from error
    spec = cohort.schema.target(target)
    declared = spec.classes if spec.kind == "mask" else ()
    unknown = [v for v in seen.voxels if declared and seen.channels == 1 and v >= len(declared)]
    if unknown:
        raise MaskError(
            f"The mask holds the unknown label {unknown[0]}.",
            expected=", ".join(f"{n} ({name})" for n, name in enumerate(declared)),
            next_step="correct the mask, or declare the label",
        )
    return seen


def with_label_doubts(found: Audit, cohort: Cohort, seen: Survey) -> Audit:
    """Return an audit that also warns of labels in masks which nobody declared and nobody would write.

    Parameters
    ----------
    found : Audit
    cohort : Cohort
    seen : Survey
    """
    undeclared = [t.name for t in cohort.schema.targets if t.kind == "mask" and not t.classes]
    doubts = [d for name in undeclared for d in label_doubts(name, tuple(seen.masks[name].values()))]
    return found.model_copy(update={"warnings": (*found.warnings, *doubts)}) if doubts else found


def latest(cohort: Cohort, sample: Sample, name: str, *, wanted: Wanted = AS_IT_IS) -> Content:
    """Return the latest reading of an input, of whatever kind.

    Parameters
    ----------
    cohort : Cohort
    sample : Sample
    name : str
    wanted : Wanted
        What a plan wants of it.

    Raises
    ------
    ReadError
        If it cannot be read.
    """
    return content_reader(kind_of(cohort, name)).read(cohort, sample.inputs[name][-1].ref, wanted=wanted)


def reading_header(cohort: Cohort, sample: Sample, name: str) -> AnyHeader:
    """Return what a reader says of the latest reading of an input, of whatever kind."""
    return content_reader(kind_of(cohort, name)).header(cohort, sample.inputs[name][-1].ref)


def latest_image(cohort: Cohort, sample: Sample, name: str) -> Image:
    """Return the latest reading of an input that is an image."""
    return read(cohort, sample.inputs[name][-1].ref)


def latest_header(cohort: Cohort, sample: Sample, name: str) -> Header:
    """Return the header of the latest reading of an input."""
    return header(cohort, sample.inputs[name][-1].ref)
