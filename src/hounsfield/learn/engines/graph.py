"""A module as an ONNX graph, in memory."""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from hounsfield.core.types import AnyArray
from hounsfield.learn.engines.whole import EngineError

OPSET = 18
"""Version of ONNX's operators: the oldest with everything needed, so that older runtimes can read the file."""


def onnx_bytes(module: nn.Module, example: Mapping[str, AnyArray], outputs: Sequence[str]) -> bytes:
    """Return a module as a serialised ONNX model for inputs of exactly these shapes.

    Parameters
    ----------
    module : nn.Module
        Takes one tensor per input and returns a tuple of tensors.
    example : mapping of str to numpy.ndarray
        One call's inputs, ``b c ...``; constant sizes let an engine choose its kernels ahead.
    outputs : sequence of str
        Names of the outputs.

    Raises
    ------
    EngineError
        If an operation of the module has no counterpart in ONNX.

    Notes
    -----
    The tracing exporter is used, not the newer one: it needs no further package and a tenth of the time.
    """
    buffer = io.BytesIO()
    tensors = tuple(torch.from_numpy(stored.copy()) for stored in example.values())
    try:
        with warnings.catch_warnings(), torch.inference_mode(), _plain_order(module):
            warnings.simplefilter("ignore")  # it announces its successor, and what tracing would miss in open shapes
            torch.onnx.export(
                module.eval(),
                tensors,
                buffer,  # type: ignore[arg-type]  # the tracing exporter writes to files in memory too
                input_names=list(example),
                output_names=list(outputs),
                opset_version=OPSET,
                dynamo=False,
            )
    except (RuntimeError, ImportError, TypeError, torch.onnx.errors.OnnxExporterError) as error:
        raise EngineError(
            f"The ensemble cannot be written as an ONNX graph: {type(error).__name__}.",
            expected="networks of this version, and the package onnx",
            next_step="run it with PyTorch: the engine torch",
        ) from error
    return buffer.getvalue()


@contextmanager
def _plain_order(module: nn.Module) -> Iterator[None]:
    """Let encoders leave images in plain order: ONNX has no channels-last, an engine orders its data itself."""
    parts = [part for part in module.modules() if isinstance(getattr(part, "memory_format", None), torch.memory_format)]
    kept = [part.memory_format for part in parts]
    try:
        for part in parts:
            setattr(part, "memory_format", torch.contiguous_format)  # noqa: B010  # not an attribute of every module
        yield
    finally:
        for part, own in zip(parts, kept, strict=True):
            setattr(part, "memory_format", own)  # noqa: B010
