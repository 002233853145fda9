"""What is made beside the table of a measurement: pictures, stability, embeddings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import InputError, RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.measured import Measured

if TYPE_CHECKING:
    from hounsfield.workflow.measure_deep import Deep
    from hounsfield.workflow.measure_pictures import Pictures
    from hounsfield.workflow.measure_stability import Stable


@dataclass(frozen=True)
class Asked:
    """What is asked for beside a table.

    Parameters
    ----------
    out : pathlib.Path or None
        The table.
    pictures : pathlib.Path or None
        Folder to draw into.
    map_of : str or None
        Feature whose map is drawn.
    stability : int or None
        How often each region is measured again.
    deep : pathlib.Path or None
        Run folder or bundle.
    """

    out: Path | None = None
    pictures: Path | None = None
    map_of: str | None = None
    stability: int | None = None
    deep: Path | None = None

    def check(self, *, repeated: bool) -> None:
        """Raise before anything is measured: InputError for what does not fit, RunExistsError for what is there."""
        wanted = [n for n in ("pictures", "stability", "deep") if getattr(self, n) is not None]
        if wanted and repeated:
            raise InputError(
                f"--repeat was given with --{wanted[0]}.",
                expected="--repeat alone: it compares the table",
                next_step=f"measure with --{wanted[0]}, then repeat",
            )
        if self.map_of is not None and self.pictures is None:
            raise InputError("--map was given without --pictures.", expected="both", next_step="add --pictures FOLDER")
        if self.out is None and {"stability", "deep"} & set(wanted):
            raise InputError(
                f"--{wanted[-1]} was given without --out.",
                expected="a table to write beside",
                next_step="add --out features.parquet",
            )
        if self.pictures is not None:
            from hounsfield.workflow.measure_pictures import check_pictures

            check_pictures(self.pictures, self.map_of)
        for path in self._files():
            if path.exists():
                raise RunExistsError(
                    f"{path.name} exists already.", next_step="choose another --out, or remove the file"
                )

    def _files(self) -> list[Path]:
        """Return what is to be written beside the table; InputError where stability is asked for in vain."""
        files: list[Path] = []
        if self.stability is not None:
            from hounsfield.workflow.measure_stability import check_repeats, stability_files

            check_repeats(self.stability)
            files += stability_files(self.out) if self.out is not None else ()
        if self.deep is not None and self.out is not None:
            from hounsfield.workflow.measure_deep import deep_file

            files.append(deep_file(self.out))
        return files


@dataclass(frozen=True)
class Beside:
    """What was made.

    Parameters
    ----------
    pictures : Pictures or None
    stability : Stable or None
    deep : Deep or None
    """

    pictures: "Pictures | None" = None
    stability: "Stable | None" = None
    deep: "Deep | None" = None


def beside(measured: Measured, sources: tuple[Path, Path], asked: Asked, *, progress: Progress = SILENT) -> Beside:
    """Make what is asked for beside a table that was measured on files.

    Parameters
    ----------
    measured : Measured
    sources : pair of pathlib.Path
        Images and masks.
    asked : Asked
    progress : Progress

    Returns
    -------
    Beside
    """
    drawn = stable = deep = None
    record = measured.record
    if asked.pictures is not None:
        from hounsfield.workflow.measure_pictures import draw

        drawn = draw(measured, sources, asked.pictures, tag=asked.map_of, progress=progress)
    if asked.stability is not None and asked.out is not None:
        from hounsfield.workflow.measure_stability import measure_stability, write_stability

        stable = measure_stability(
            sources, record.settings, repeats=asked.stability, parts=record.parts, progress=progress
        )
        write_stability(stable, asked.out)
    if asked.deep is not None and asked.out is not None:
        from hounsfield.workflow.measure_deep import embed, write_deep

        deep = embed(asked.deep, sources, parts=record.parts, progress=progress)
        write_deep(deep, asked.out)
    return Beside(drawn, stable, deep)
