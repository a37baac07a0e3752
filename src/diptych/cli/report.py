"""`diptych report`: the page and the pictures of a comparison, anew."""

from __future__ import annotations

from diptych.cli.options import Run


def report(run_folder: Run) -> None:
    """Write report.html and the pictures of a comparison anew, from its report.json.

    The page is one file that asks for nothing from anywhere. No framework is needed.
    """
    from diptych.comparison.comparison import show
    from diptych.comparison.report import REPORT, read_report

    written = show(read_report(run_folder / REPORT), run_folder)
    print("\n".join(str(run_folder / name) for name in written.files if name != REPORT))
