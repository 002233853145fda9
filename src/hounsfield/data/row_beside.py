"""Variables of a table of images as a row beside each image, where a person asks for it."""

from collections.abc import Mapping
from dataclasses import replace

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref
from hounsfield.core.errors import CohortError
from hounsfield.data.files import Files
from hounsfield.data.roles import Understood
from hounsfield.data.row_columns import variables, with_site

BESIDE = "variables"
"""Name of the input."""


def with_row(cohort: Cohort, understood: Understood, files: Files, places: Mapping[str, int]) -> Cohort:
    """Return a cohort whose samples have, beside their images, the columns that a person asked for as a row.

    Parameters
    ----------
    cohort : Cohort
        Of the table.
    understood : Understood
    files : Files
        Of the folder that holds the table.
    places : mapping of str to int
        Row of the table of each sample.

    Raises
    ------
    CohortError
        If the table was joined from several: a row could not be found again.

    Notes
    -----
    What was recorded beside an image is for subgroups unless somebody says otherwise (``columns: {age: input}``, or
    ``covariate``, in ``cohort.yaml``): a hospital's habits would be learned with it.
    """
    wanted = understood.columns("input", "covariate")
    if not wanted:
        return cohort
    sheet = understood.sheet
    if not (files.root / sheet.name).is_file():
        raise CohortError(
            f"The columns {', '.join(wanted[:5])} are to be looked at, and {sheet.name!r} is not one table.",
            expected="one table with a column of parts",
            next_step="join the tables into one",
        )
    kept = ("input", "covariate", "site")
    others = tuple(r if r.role in kept else r.model_copy(update={"role": "unused"}) for r in understood.roles)
    outside = [places[s.id] for s in cohort.samples if s.part != "test"] or list(places.values())
    chosen = variables(replace(understood, roles=others), outside)
    spec = InputSpec(name=BESIDE, kind="row", ndim=0, columns=with_site(chosen.columns, chosen.site))

    def readings(name: str, days: float) -> tuple[Reading, ...]:
        return (Reading(Ref("columns", sheet.name, (("table", BESIDE), ("row", places[name]))), days),)

    samples = tuple(replace(s, inputs={**s.inputs, BESIDE: readings(s.id, s.time_days)}) for s in cohort.samples)
    schema = cohort.schema.model_copy(
        update={"inputs": (*cohort.schema.inputs, spec), "notes": (*cohort.schema.notes, *chosen.notes)}
    )
    return replace(cohort, samples=samples, schema=schema)
