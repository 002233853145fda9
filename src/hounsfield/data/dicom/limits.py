"""How much a single DICOM file may ask of the machine."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one file may ask for; whatever asks for more is refused with the reason.

    Parameters
    ----------
    file_bytes : int
        Bytes of a file, or of what a gzip or deflated file inflates to, that are held in memory at once.
    inflated_bytes : int
        Bytes that compressed content (gzip, deflated transfer syntax, deflated frames) may become.
    element_bytes : int
        Bytes of one value other than pixel data.
    elements : int
        Data elements and sequence items in all, at every depth.
    depth : int
        Sequences inside sequences. Structured reports of real scanners stay below 16.
    frame_pixels : int
        Samples (rows x columns x samples per pixel) of one frame that are decoded.
    fragments : int
        Fragments of encapsulated pixel data.
    seconds : int
        Processor time that a decoder may take for one frame.
    decoder_bytes : int
        Address space of the process in which decoders run.
    """

    file_bytes: int = 768 * MIB
    inflated_bytes: int = 192 * MIB
    element_bytes: int = 256 * MIB
    elements: int = 300_000
    depth: int = 32
    frame_pixels: int = 40_000_000
    fragments: int = 400_000
    seconds: int = 4
    decoder_bytes: int = 960 * MIB


LIMITS = Limits()
"""The limits that hold where nobody says otherwise: whole processes stay below 1 GiB on hostile files."""
