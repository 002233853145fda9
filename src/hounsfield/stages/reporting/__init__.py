"""From a report to what a person reads: one self-contained page in English and Chinese, and plain lines for a terminal.

Enters: a `core.Report`; nothing is computed here that a figure depends on.
Leaves: text; writing it to a file is the caller's.
"""

from hounsfield.stages.reporting.summary import summary_text

__all__ = ["summary_text"]
