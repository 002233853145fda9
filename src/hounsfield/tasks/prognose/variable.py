"""Which variable of a series is forecast, and what is known of it as a quantity."""

from collections.abc import Sequence
from dataclasses import dataclass

from hounsfield.core.errors import CohortError, nearest

HYPOTENSION_MMHG = 65.0
"""Mean arterial pressure under which organs are perfused too little (Evans et al., Surviving Sepsis 2021)."""
MEAN_PRESSURES = (
    "map", "meanabp", "abpmean", "abpm", "artmean", "artm", "ibpmean", "meanarterialpressure",
    "meanarterialbloodpressure", "meanbp", "nimap", "nibpmean", "nbpmean", "nbpm",
)  # fmt: skip
"""How recorders and tables call a mean arterial pressure, letters and digits only; invasive ones first."""
WAVES = ("abp", "art", "ibp", "ap", "bp", "arterialpressure", "arterialbloodpressure", "bloodpressure")
"""How they call a pressure that is sampled within the beat."""
AROUND = (
    (("nimap", "nibpmean", "nbpmean", "nbpm"), ("nidiasabp", "nibpdia", "nibpdiastolic", "nbpdias", "nbpd"),
     ("nisysabp", "nibpsys", "nibpsystolic", "nbpsys", "nbps")),
    (MEAN_PRESSURES, ("diasabp", "abpdias", "abpdia", "abpd", "artdias", "artdia", "artd", "ibpdia", "ibpdiastolic",
                      "dbp", "diastolicbp", "diastolicbloodpressure", "bpdia"),
     ("sysabp", "abpsys", "abps", "artsys", "arts", "ibpsys", "ibpsystolic", "sbp", "systolicbp",
      "systolicbloodpressure", "bpsys")),
)  # fmt: skip
"""Means, and how the diastolic and the systolic pressure of the same line are called; of a cuff first."""
PLAUSIBLE_MEAN = (20.0, 200.0)
PLAUSIBLE_WAVE = (-20.0, 320.0)
MMHG = ("", "mmhg")


@dataclass(frozen=True)
class Variable:
    """The variable that is forecast.

    Parameters
    ----------
    name : str
        As the data call it.
    unit : str
    mean_pressure : bool
        Whether it is a mean arterial pressure in mmHg, as far as name and unit tell.
    low, high : float or None
        Readings outside are impossible; None where nothing is known of it.
    below : float or None
        A reading below this is the event that is warned of.
    """

    name: str
    unit: str
    mean_pressure: bool = False
    low: float | None = None
    high: float | None = None
    below: float | None = None


def variable(leads: Sequence[str], units: Sequence[str], *, wanted: Sequence[str] = ()) -> Variable:
    """Return the variable that is forecast.

    Parameters
    ----------
    leads, units : sequence of str
        Variables of the series and their units; ``""`` where not known.
    wanted : sequence of str
        What a user named, at most one; empty: a mean arterial pressure, else an arterial pressure, else the only one.

    Raises
    ------
    CohortError
        If there is none of that name, several were named, or none was and several could be meant.
    """
    plain = [_plain(lead) for lead in leads]
    if len(wanted) > 1:
        raise CohortError(
            f"{len(wanted)} variables were named to be forecast.",
            expected="one: a model forecasts one variable, at several horizons, from all of them",
            next_step=f"leave --target {wanted[1]} out",
        )
    if wanted:
        place = _place(wanted[0], leads)
        if place is None:
            near = nearest(wanted[0], leads)
            raise CohortError(
                f"The series have no variable {wanted[0]!r}.",
                expected=f"one of {', '.join(leads[:20])}",
                next_step=f"write --target {near}" if near else "name one of these with --target",
            )
        return _known(leads, units, place)
    for names in (MEAN_PRESSURES, WAVES):
        for name in names:
            for place, lead in enumerate(plain):
                if lead == name and units[place].casefold() in MMHG:
                    return _known(leads, units, place)
    if len(leads) == 1:
        return _known(leads, units, 0)
    raise CohortError(
        f"None of the {len(leads)} variables is known to be an arterial pressure, and none was named.",
        expected="MAP or another arterial pressure in mmHg, or a name",
        next_step=f"name what is to be forecast: --target {leads[0] if leads else 'NAME'}",
    )


def around(leads: Sequence[str], found: Variable) -> tuple[str, str] | None:
    """Return the diastolic and the systolic pressure that belong to a mean one, as the data call them.

    Parameters
    ----------
    leads : sequence of str
        Variables of the series.
    found : Variable
        The one that is forecast.

    Returns
    -------
    tuple or None
        None where it is no mean pressure, or one of the two is not there.
    """
    if not found.mean_pressure:
        return None
    named = {_plain(lead): lead for lead in reversed(leads)}
    for means, low, high in AROUND:
        if _plain(found.name) in means:
            lower = next((named[name] for name in low if name in named), None)
            upper = next((named[name] for name in high if name in named), None)
            return (lower, upper) if lower is not None and upper is not None else None
    return None


def _known(leads: Sequence[str], units: Sequence[str], place: int) -> Variable:
    name, unit, plain = leads[place], units[place], _plain(leads[place])
    if unit.casefold() not in MMHG:
        return Variable(name, unit)
    if plain in MEAN_PRESSURES:
        low, high = PLAUSIBLE_MEAN
        return Variable(name, unit or "mmHg", mean_pressure=True, low=low, high=high, below=HYPOTENSION_MMHG)
    if plain in WAVES:
        return Variable(name, unit or "mmHg", low=PLAUSIBLE_WAVE[0], high=PLAUSIBLE_WAVE[1])
    return Variable(name, unit)


def _place(wanted: str, leads: Sequence[str]) -> int | None:
    """Return which of the leads a name means: itself, else the only one that is the same but for case and signs."""
    if wanted in leads:
        return list(leads).index(wanted)
    plain = _plain(wanted)
    alike = [place for place, lead in enumerate(leads) if plain and _plain(lead) == plain]
    return alike[0] if len(alike) == 1 else None


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
