"""Writes `triangles.py`: which triangles marching cubes lays through a cell of eight voxels.

    python -m hounsfield.science.radiomics._generated.generate

scikit-image is asked for the surface of each of the 256 cells, with Lorensen's cases.
"""

from pathlib import Path

import numpy as np

CORNERS = [(z, y, x) for z in (0, 1) for y in (0, 1) for x in (0, 1)]
"""Corner n has bit n of a cell's number."""


def triangles(case: int) -> str:
    """Return the triangles of one cell: of each corner its z y x in halves of a voxel, as nine digits each."""
    from skimage.measure import marching_cubes

    if case in (0, 255):
        return ""
    cell = np.zeros((2, 2, 2), dtype=np.float32)
    for n, corner in enumerate(CORNERS):
        cell[corner] = case >> n & 1
    points, faces, _, _ = marching_cubes(cell, 0.5, method="lorensen", allow_degenerate=True)
    return "".join(str(int(v)) for v in np.rint(2 * points[faces]).reshape(-1))


def main() -> None:
    """Write the table beside this file."""
    from importlib.metadata import version

    rows = "\n".join(f'    "{triangles(case)}",' for case in range(256))
    text = (
        '"""The triangles of each of the 256 cells of marching cubes; see `generate.py`, which wrote this.\n\n'
        f'From scikit-image {version("scikit-image")}, `marching_cubes(method=\'lorensen\')`.\n"""\n\n'
        f"TRIANGLES = (\n{rows}\n)\n"
    )
    Path(__file__).with_name("triangles.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
