"""Training curves for TensorBoard, where that was asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hounsfield.core.errors import InputError


def observer(folder: Path, *, wanted: bool) -> Callable[[int, Mapping[str, float]], None]:
    """Return what writes each look at the validation part to `folder`, or what does nothing.

    Parameters
    ----------
    folder : Path
        Folder of one member's event file.
    wanted : bool
        Whether curves are written.

    Raises
    ------
    InputError
        If TensorBoard is not installed.
    """
    if not wanted:
        return lambda _step, _figures: None
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise InputError(
            "TensorBoard is not installed.",
            expected="the package tensorboard",
            next_step="pip install 'hounsfield[tensorboard]', or leave --tensorboard out",
        ) from error
    writer = Writer(str(folder))

    def write(step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            if name != "step":
                writer.add_scalar(name, value, step=step)
        writer.flush()

    return write
