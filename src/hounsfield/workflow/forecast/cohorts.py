"""Series without further answers as a cohort of one forecast."""

from dataclasses import replace

from hounsfield.core.cohort import Cohort, InputSpec, Ref, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.signal import SignalHeader
from hounsfield.data.cohorts import recordings
from hounsfield.data.kinds.protocol import content_reader
from hounsfield.data.kinds.signals import anchor_of
from hounsfield.tasks.prognose.variable import Variable, variable
from hounsfield.workflow.study import Source
from hounsfield.workflow.wishes import Wishes


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
    header = header_of(cohort, cohort.samples[0].inputs[spec.name][-1].ref)
    found = forecast_variable(spec, header, wanted)
    leads = spec.leads or header.leads
    target = TargetSpec(name=found.name, kind="forecast", unit=found.unit)
    samples = tuple(
        replace(s, inputs={spec.name: s.inputs[spec.name]}, targets={}, masks={}, opinions={}) for s in cohort.samples
    )
    schema = cohort.schema.model_copy(
        update={"targets": (target,), "inputs": (spec.model_copy(update={"leads": leads}),)}
    )
    return replace(cohort, samples=samples, schema=schema)


def forecast_variable(spec: InputSpec, header: SignalHeader, wanted: tuple[str, ...]) -> Variable:
    """Return the variable that is forecast, with its unit as a header tells it.

    Parameters
    ----------
    spec : InputSpec
        Its `leads` are the variables; where it has none, the header's.
    header : SignalHeader
    wanted : tuple of str

    Raises
    ------
    CohortError
        See `hounsfield.tasks.prognose.variable.variable`.
    """
    units = dict(zip(header.leads, header.units, strict=True))
    leads = spec.leads or header.leads
    return variable(leads, [units.get(lead, "") for lead in leads], wanted=wanted)


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
