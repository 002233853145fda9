"""PDF: withheld, since a page may show anything; written only when asked for, and then under the second pass alone."""

from pathlib import Path

from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.order import ScrubOrder

DOCUMENTS = "documents"
"""The option that lets documents pass."""
MAX_BYTES = 256 << 20


class PdfScrubber:
    """Withholds PDF documents unless the option ``documents`` is chosen.

    Notes
    -----
    Nothing in a document is changed. With the option it is written as it is if the second pass finds no identifier of
    any input in it; a scanned page is a picture that no pass reads.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the signature within the first bytes."""
        del name
        return b"%PDF-" in head

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the document unchanged if asked for; else withhold it."""
        if not order.asks(DOCUMENTS):
            return Scrubbed(None, withheld="a PDF document; withheld unless documents are asked for")
        if source.stat().st_size > MAX_BYTES:
            return Scrubbed(None, withheld="a PDF document of more than 256 MiB")
        content = source.read_bytes()
        if b"/Encrypt" in content:
            return Scrubbed(None, withheld="an encrypted PDF document; what it holds cannot be searched")
        return Scrubbed(content, removed=("nothing: a document, searched only",))
