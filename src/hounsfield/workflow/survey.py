"""One look at every sample: what the audit and the fingerprint need, from one decoding."""

from collections.abc import Mapping
from dataclasses import dataclass

from hounsfield.core.cohort import Cohort, Sample, SetAside
from hounsfield.core.errors import HounsfieldError
from hounsfield.core.image import Header, Image
from hounsfield.core.progress import Progress
from hounsfield.data.readers import header, read
from hounsfield.stages.auditing.thumbnails import Album, Glance, glance
from hounsfield.stages.fingerprinting.looks import Look, look


@dataclass(frozen=True)
class Survey:
    """What was seen of a cohort.

    Parameters
    ----------
    glances : tuple of Glance
        One per readable sample.
    looks : mapping of str to mapping of str to Look
        Input name to sample id to look.
    unreadable : tuple of SetAside
    """

    glances: tuple[Glance, ...]
    looks: Mapping[str, Mapping[str, Look]]
    unreadable: tuple[SetAside, ...]


def survey(cohort: Cohort, *, progress: Progress) -> Survey:
    """Read every sample once; what cannot be read is set aside with the reason.

    Parameters
    ----------
    cohort : Cohort
    progress : Progress
    """
    glances: list[Glance] = []
    album = Album()
    looks: dict[str, dict[str, Look]] = {spec.name: {} for spec in cohort.schema.inputs}
    unreadable: list[SetAside] = []
    told = {spec.name: spec.modality for spec in cohort.schema.inputs}
    with progress.step("Reading", float(len(cohort))) as shown:
        for sample in cohort.samples:
            try:
                images = {
                    name: (latest_image(cohort, sample, name), latest_header(cohort, sample, name)) for name in looks
                }
            except HounsfieldError as error:
                unreadable.append(SetAside(sample=sample.id, reason=error.found))
            else:
                for name, (image, facts) in images.items():
                    looks[name][sample.id] = look(image, facts, modality=image.modality or told[name])
                image, facts = next(iter(images.values()))
                glances.append(album.put(glance(sample.id, image, facts)))
            shown.advance()
    return Survey(tuple(glances), looks, tuple(unreadable))


def latest_image(cohort: Cohort, sample: Sample, name: str) -> Image:
    """Return the latest reading of an input."""
    return read(cohort, sample.inputs[name][-1].ref)


def latest_header(cohort: Cohort, sample: Sample, name: str) -> Header:
    """Return the header of the latest reading of an input."""
    return header(cohort, sample.inputs[name][-1].ref)
