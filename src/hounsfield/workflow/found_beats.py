"""Beats of records that nobody annotated, found by their R peaks: what a model of beats is asked of a new record."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Sample, SetAside
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.core.leads import standard_lead
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.data.beat_inputs import BeatInputs, BeatsOf
from hounsfield.data.layouts.beats import ROWS
from hounsfield.data.layouts.records import INPUT
from hounsfield.data.signal.readers import read_signal, signal_header
from hounsfield.workflow.record_blocks import record_of


def with_found_beats(cohort: Cohort, *, progress: Progress = SILENT) -> Cohort:
    """Return a cohort with a sample for each beat that is found in its records.

    Parameters
    ----------
    cohort : Cohort
        One sample for each record, its input ``signal``; samples that are beats already, whatever is kept of them, are
        returned as they are.
    progress : Progress

    Returns
    -------
    Cohort
        Each beat with its anchor, the rhythm around it and its form, without answers; sample numbers of the beats of a
        record in ``arrays["beats:PATH"]`` and their rate in ``arrays["rate:PATH"]``, from where the rows are read. A
        record that cannot be read, has no rate or no beat is set aside with the reason.

    Raises
    ------
    CohortError
        If no beat is found at all, or the samples are neither beats nor signals.

    Notes
    -----
    R peaks are those of `hounsfield.science.physiology.beats.r_peaks_by_window` over all leads that are looked at: a
    day's record is never whole in memory.
    """
    if all(record_of(s) is not None for s in cohort.samples):
        return cohort
    if not all(INPUT in s.inputs for s in cohort.samples):
        raise CohortError(
            "The cases are neither beats nor records in which beats could be found.",
            expected="electrocardiograms, annotated or not",
            next_step="give the records themselves",
        )
    samples: list[Sample] = []
    aside = list(cohort.set_aside)
    arrays: dict[str, AnyArray] = dict(cohort.arrays)
    with progress.step("Finding beats", float(len(cohort))) as shown:
        for sample in cohort.samples:
            ref = sample.inputs[INPUT][-1].ref
            try:
                peaks, rate_hz = _peaks(cohort, ref)
            except HounsfieldError as error:
                aside.append(SetAside(sample=sample.id, reason=error.found))
            else:
                if not len(peaks):
                    aside.append(SetAside(sample=sample.id, reason="no beat was found"))
                arrays[f"beats:{ref.path}"] = peaks
                arrays[f"rate:{ref.path}"] = np.array([rate_hz])
                samples += _beats(sample, ref, peaks)
            shown.advance()
    if not samples:
        raise CohortError(
            f"No beat was found in the {len(cohort)} record{'s' if len(cohort) > 1 else ''}.",
            expected="electrocardiograms at 80 Hz or more",
            next_step="look at the records with hu inspect",
        )
    kept = tuple(s for s in cohort.schema.inputs if s.name == INPUT)
    note = f"{len(samples)} beats were found by their R peaks: nobody annotated the records."
    update = {"inputs": (*kept, *ROWS), "targets": (), "notes": (*cohort.schema.notes, note)}
    schema = cohort.schema.model_copy(update=update)
    return replace(cohort, samples=tuple(samples), schema=schema, set_aside=tuple(aside), arrays=arrays)


def _peaks(cohort: Cohort, ref: Ref) -> tuple[IntArray, float]:
    from hounsfield.science.physiology.beats import r_peaks_by_window

    header = signal_header(cohort, ref)
    if header.rate_hz is None:
        raise CohortError("The record tells no rate.", expected="samples per second")
    heart = [i for i, n in enumerate(header.leads) if standard_lead(n, beside=header.leads)] or [
        *range(len(header.leads))
    ]

    def window(start: int, stop: int) -> AnyArray:
        return read_signal(cohort, ref, start=start, stop=stop).array[heart]

    return r_peaks_by_window(window, header.samples, header.rate_hz), header.rate_hz


def _beats(sample: Sample, ref: Ref, peaks: IntArray) -> list[Sample]:
    lead = tuple((k, str(v)) for k, v in ref.part if k == "lead")
    own = BeatsOf(ref.path, lead, 1, "", reader=ref.reader)
    about: Mapping[str, float | str | None] = sample.attributes
    return [
        Sample(f"{sample.id}_{at}", sample.patient, BeatInputs(own, at), part=sample.part, attributes=about)
        for at in np.asarray(peaks).tolist()
    ]
