"""A conversion in a terminal: what was written, and what was set apart and why."""

from collections import Counter
from pathlib import Path

from hounsfield.cli.output import line, table
from hounsfield.workflow.converted import Converted
from hounsfield.workflow.converting import APART, TABLE


def show_conversion(found: Converted, out: Path) -> None:
    """Print the volumes with their masks, how many files were set apart for which reason, and where the tables lie."""
    volumes, masks = found.of_kind("volume"), found.of_kind("mask")
    line(f"{len(volumes)} volumes and {len(masks)} masks from {found.files} DICOM files.")
    for note in found.notes:
        line(note)
    line()
    drawn = Counter(m.of for m in masks)
    rows = [[v.file, v.modality, v.size, v.spacing_mm, v.what, str(drawn[v.file] or ""), v.notes] for v in volumes]
    table("Volumes", ["file", "modality", "voxels x y z", "mm", "what", "masks", "notes"], rows)
    reasons = Counter((a.reason, a.modality) for a in found.apart)
    table("Set apart", ["files", "modality", "reason"], [[str(n), m, r] for (r, m), n in reasons.most_common()])
    line(f"What is what: {out / TABLE}; what was set apart: {out / APART}")
