"""A diagnosis as a table."""

from hounsfield.cli.output import heading, line, table
from hounsfield.workflow.doctor import Diagnosis

_WORD = {True: "yes", False: "no", None: "unknown"}


def show_diagnosis(found: Diagnosis) -> None:
    """Print what `hounsfield.workflow.doctor.doctor` found."""
    physical = "unknown" if found.physical_cores is None else str(found.physical_cores)
    table(
        f"hounsfield {found.hounsfield}",
        ("", ""),
        [
            ("Python", found.python),
            ("System", found.system),
            ("Processor", found.processor),
            *((f"  {name}", _WORD[value]) for name, value in found.features.items()),
            ("Cores", f"{found.usable_cores} usable, {found.logical_cores} logical, {physical} physical"),
            ("Memory", f"{found.memory_gib:g} GiB usable, {found.memory_free_gib:g} GiB free now"),
            ("Device", " ".join(word for word in (found.device, found.device_name) if word)),
            ("bfloat16 in hardware", _WORD[found.bfloat16]),
        ],
    )
    table("Packages", ("name", "version"), list(found.packages.items()))
    if found.problems:
        heading("To correct")
        for problem in found.problems:
            line(f"- {problem}")
    else:
        line("Nothing to correct.")
