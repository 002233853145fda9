"""Tables in which another program stands beside ours."""

from typing import cast

from benchmarks.cells import Figures, inside, number, results, span, titled


def nnunet() -> str:
    """Return what nnU-Net and ours came to on one fold, with the seconds each took."""
    rows = []
    for found in results("annotate-against-nnunet"):
        # where each says when it reached the goal: a schedule at its end, one of ours that was long enough
        for program, taken, goal in (
            ("nnunet_stock", "nnU-Net, stock schedule", "end"),
            ("nnunet", "nnU-Net, cut schedule", "end"),
            ("hounsfield", "hounsfield", "least"),
        ):
            reached = number(found, program, "seconds_to_goal")
            for name in ("least", "half", "end"):
                one = inside(found, program, name)
                if one:
                    dice = span(cast(Figures, one), "dice")
                    passed = f"{reached:.0f}" if name == goal and reached > 0 else "–"
                    rows.append([f"{taken}, {name}", f"{number(one, 'seconds'):.0f}", dice, passed])
    head = ("program, run", "seconds", "Dice", "seconds to Dice 0.80")
    return titled("nnU-Net beside, one fold of msd-hippocampus", head, rows)


def pyradiomics() -> str:
    """Return milliseconds for a region, one thread on both sides, warm."""
    rows = []
    for found in results("speed-radiomics"):
        listed = found.get("cases")
        for case in listed if isinstance(listed, list) else []:
            for key, ratio, what in (
                ("same", "ratio", "the same features"),
                ("families", "ratio_families", "their families whole"),
                ("whole", "ratio_whole_set", "all of IBSI-1 but the autocorrelations"),
            ):
                theirs = "pyradiomics_same" if key == "same" else "pyradiomics"
                rows.append(
                    [
                        str(case["case"]),
                        f"{what} ({number(case, 'features', f'ours_{key}'):.0f})",
                        f"{1000 * number(case, 'seconds', f'ours_{key}'):.2f}",
                        f"{1000 * number(case, 'seconds', theirs):.2f}",
                        f"{number(case, ratio):.1f}",
                    ]
                )
    return titled("PyRadiomics beside, ms for a region", ("region", "features", "ours", "PyRadiomics", "times"), rows)
