"""Series without further answers as a cohort of one forecast."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hounsfield.core.cohort import Cohort, InputSpec, Ref, TargetSpec
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.core.signal import SignalHeader
from hounsfield.data.cohorts import recordings
from hounsfield.data.kinds.protocol import content_reader
from hounsfield.data.kinds.signals import anchor_of
from hounsfield.tasks.prognose.variable import variable
from hounsfield.workflow.study import Source
from hounsfield.workflow.wishes import Wishes

MOST_HEADERS = 32
"""Series whose headers say in which unit the variables are; what the others have is converted when they are read."""


def asked_cohort(source: Source, wishes: Wishes) -> Cohort:
    """Understand a source of series, of which one variable is forecast.

    Parameters
    ----------
    source : str, Path or iterable
    wishes : Wishes
        Its `target` names the variable.

    Returns
    -------
    Cohort
        Each sample with its series alone; what else is said of it (an outcome, its row) is left out. The one target is
        of the kind ``forecast``.

    Raises
    ------
    CohortError
        If there is no series, the samples are places in records, or it is not clear which variable is meant.
    """
    return with_forecast(recordings(source, replace(wishes.roles, target=(), task=None)), wishes.target)


def with_forecast(cohort: Cohort, wanted: tuple[str, ...]) -> Cohort:
    """Return a cohort with its series alone and one forecast as its target; see `asked_cohort`.

    Parameters
    ----------
    cohort : Cohort
    wanted : tuple of str
        Name of the variable; empty to infer.
    """
    spec = next((s for s in cohort.schema.inputs if s.kind == "signal"), None)
    if spec is None or not cohort.samples:
        raise CohortError(
            f"{cohort.name!r} holds no series.",
            expected="a table of events (record, time, variable, value), or records in WFDB, EDF or CSV",
            next_step="give the folder that the series lie in",
        )
    if any(anchor_of(s.inputs[spec.name][-1].ref) is not None for s in cohort.samples):
        raise CohortError(
            "The samples are beats or windows of annotated records.",
            expected="whole series to forecast",
            next_step="take the annotations out of the folder, or leave --task prognose out",
        )
    headers = _headers(cohort, spec)
    leads = spec.leads or headers[0].leads
    found = variable(leads, _usual(leads, headers), wanted=wanted)
    target = TargetSpec(name=found.name, kind="forecast", unit=found.unit)
    samples = tuple(
        replace(s, inputs={spec.name: s.inputs[spec.name]}, targets={}, masks={}, opinions={}) for s in cohort.samples
    )
    schema = cohort.schema.model_copy(
        update={"targets": (target,), "inputs": (spec.model_copy(update={"leads": leads}),)}
    )
    return replace(cohort, samples=samples, schema=schema)


def _usual(leads: Sequence[str], headers: Sequence[SignalHeader]) -> list[str]:
    """Return the unit in which most series have each variable; ``""`` where most do not tell it, or none has it.

    Parameters
    ----------
    leads : sequence of str
        The variables.
    headers : sequence of SignalHeader
    """
    told = [dict(zip(header.leads, header.units, strict=True)) for header in headers]
    counts = [Counter(units[lead] for units in told if lead in units) for lead in leads]
    return [count.most_common(1)[0][0] if count else "" for count in counts]


def _headers(cohort: Cohort, spec: InputSpec) -> list[SignalHeader]:
    """Return what is said of some series, evenly spread, at most `MOST_HEADERS`; one that cannot be read says nothing.

    Raises
    ------
    HounsfieldError
        If none of them can be read.
    """
    step = -(-len(cohort.samples) // MOST_HEADERS)
    found: list[SignalHeader] = []
    faults: list[HounsfieldError] = []
    for sample in cohort.samples[::step]:
        try:
            found.append(header_of(cohort, sample.inputs[spec.name][-1].ref))
        except HounsfieldError as error:
            faults.append(error)
    if not found:
        raise faults[0]
    return found


def header_of(cohort: Cohort, ref: Ref) -> SignalHeader:
    """Return what a series' reader says of it.

    Raises
    ------
    CohortError
        If it is no series.
    """
    found = content_reader("signal").header(cohort, ref)
    if not isinstance(found, SignalHeader):
        raise CohortError("A sample is no series.", expected="series over time")
    return found
