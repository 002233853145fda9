"""Conformity to IBSI-1: every reference value, by family and configuration; the page of features is made from it."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from benchmarks.record import TOP, provenance, read_result, write_result
from hounsfield.science.radiomics.catalogue import FAMILIES, features

PAGE = TOP / "docs" / "reference" / "radiomics.md"
NAME = "ibsi1"
Counts = dict[str, dict[str, tuple[int, int]]]
_DIAGNOSTIC = "diagnostics"


def conformity() -> tuple[Counts, list[str]]:
    """Return how many values of each family are met, of how many, by configuration; and those that are not."""
    from tests.science.radiomics.phantoms import CONFIGURATIONS, references
    from tests.science.radiomics.test_conformity import measured, met

    counts: Counts = {}
    far = []
    prefixes = {f.prefix for f in FAMILIES}
    for configuration in CONFIGURATIONS:
        found = measured(configuration)
        for tag, (value, tolerance) in references(configuration).items():
            prefix = tag.partition("_")[0]
            family = prefix if prefix in prefixes and "_mask_" not in tag else _DIAGNOSTIC
            good, every = counts.setdefault(family, {}).get(configuration, (0, 0))
            is_met = met(found[tag], value, tolerance)
            counts[family][configuration] = (good + is_met, every + 1)
            if not is_met:
                far.append(f"{configuration} {tag}")
    return counts, far


def page(result: Mapping[str, object]) -> str:
    """Return the page of features as Markdown.

    Parameters
    ----------
    result : mapping
        As `main` writes it.
    """
    counts = cast("dict[str, dict[str, list[int]]]", result["counts"])
    configurations = sorted({c for row in counts.values() for c in row}, key=lambda c: (c != "digital_phantom", c))
    names = {**{f.prefix: f.name for f in FAMILIES}, _DIAGNOSTIC: "Diagnostics of image and masks"}
    heads = " | ".join("phantom" if c == "digital_phantom" else c for c in configurations)
    lines = [
        "# Radiomics",
        "",
        "What `hu measure` computes: the features of the Image Biomarker Standardisation Initiative (IBSI-1), by the",
        "reference manual ([arXiv:1612.07003](https://arxiv.org/abs/1612.07003)). This page is made by",
        "`python -m benchmarks.accuracy.ibsi1` from the package's own catalogue and from the comparison with the",
        "reference values.",
        "",
        "## Conformity",
        "",
        "Values within the tolerance of their reference, of all that have one. A value is rounded to three significant",
        "digits before it is compared, as the reference values are; `phantom` is the digital phantom, A to E are the",
        "five configurations on the CT phantom.",
        "",
        f"| family | {heads} | together |",
        "|---|" + "---|" * (len(configurations) + 1),
    ]
    total = [0, 0]
    for prefix, name in names.items():
        cells = [counts.get(prefix, {}).get(c, [0, 0]) for c in configurations]
        together = [sum(c[n] for c in cells) for n in (0, 1)]
        total = [a + b for a, b in zip(total, together, strict=True)]
        shown = [f"{good} of {every}" if every else "" for good, every in (*cells, together)]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    far = cast("list[str]", result["not_met"])
    lines += [
        "",
        f"**{total[0]} of {total[1]} values agree.** "
        + (f"Not met: {', '.join(far)}." if far else "There is none that does not.")
        + "\nFive features of each configuration have no reference value, for want of consensus:",
        "`morph_vol_dens_ombb`, `morph_area_dens_ombb`, `morph_vol_dens_mvee`, `morph_area_dens_mvee` and `ivh_auc`.",
        "",
        "Three diagnostics have references of more digits and no tolerance; they are met exactly.",
        "",
        "Choices where the manual leaves room: the covariance of positions behind the principal axes divides by n - 1",
        "and the area of an ellipsoid is that of the manual's series of Legendre polynomials, which is not the true",
        "area; the reference values ask for both. A matrix in which a feature is undefined is left out of the mean.",
        "",
        "## Features",
        "",
        "Tags are columns of the table. Texture has one column for each aggregation: `_2D_avg` (mean over slices and",
        "directions), `_2D_comb` (directions merged, mean over slices), `_2_5D_avg` (slices merged, mean over",
        "directions), `_2_5D_comb` (all merged), `_3D_avg`, `_3D_comb`; zones, neighbourhoods `_2D`, `_2_5D`, `_3D`.",
        "",
        "V and A are volume and area of the mesh; X the Nv intensities, mu their mean; g a grey level, p_g its share;",
        "p_ij the co-occurrence matrix over its sum; s_ij the matrix of level i and size j, Ns its sum; p_i and s_i of",
        "tone differences the share of level i and its summed distance from the mean of the neighbours; log to base 2.",
    ]
    known = list(features())
    for family in FAMILIES:
        size = f"; the size j is the {family.size}" if family.size else ""
        lines += [
            "",
            f"### {family.name} ({family.code})",
            "",
            f"Section {family.section} of the manual{size}.",
            "",
            "| tag | feature | IBSI | section | unit | formula | undefined where |",
            "|---|---|---|---|---|---|---|",
        ]
        for one in known:
            if one.family == family.prefix:
                formula = one.formula.replace("|", "\\|")
                row = (f"`{one.tag}`", one.name, one.code, one.section, one.unit, f"`{formula}`", one.undefined)
                lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def write_page(path: Path = PAGE) -> None:
    """Write the page from the result that is kept."""
    result = read_result(NAME)
    if result is not None:
        path.write_text(page(result), encoding="utf-8")


def main() -> None:
    """Compare, write the result, and the page from it."""
    counts, far = conformity()
    good = sum(c[0] for row in counts.values() for c in row.values())
    print(f"{good} of {sum(c[1] for row in counts.values() for c in row.values())} reference values are met")
    write_result(NAME, {**provenance("python -m benchmarks.accuracy.ibsi1"), "counts": counts, "not_met": far})
    write_page()


if __name__ == "__main__":
    main()
