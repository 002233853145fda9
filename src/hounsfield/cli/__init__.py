"""The command line: it parses, calls one verb of `workflow`, and prints.

Enters: what a user types.
Leaves: tables or JSON on standard output, progress and errors on standard error, an exit code.
"""


def main() -> None:
    """Run the command ``hu``."""
    from hounsfield.cli.app import run

    run()
