"""Writes all that is derived from a run's records into its folder; writing it again gives the same bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from runner.errors import DiskError
from runner.frames import speedups
from runner.report.contents import compose
from runner.report.measured import measured
from runner.report.repeat_sections import repeat_document
from runner.stats.results import Results
from runner.storage.runs import Run
from runner.support.atomic import write_whole

# Beside the report of a run that repeats another one.
REPEAT_FILE = "repeat.md"
TEMPLATES = Path(__file__).resolve().parent / "templates"
# Verdicts that a reader looks for first, in colour; every other cell is black.
COLOURED = {
    "reproduced": "good", "faster": "good", "passed": "good", "same training": "good",
    "not reproduced": "bad", "slower": "bad", "DIFFERENT": "bad", "FAILED": "bad",
    "partly": "mixed", "no clear difference": "mixed",
}  # fmt: skip
# A cell of more characters is read as a sentence, and gets the width for it; so does one with a longer word, which may
# then break anywhere: it would else push the columns after it out of sight.
LONGEST_WORDS = 60
LONGEST_WORD = 32
# The names that the kit gives its figures, by which those of an earlier drawing are found.
FIGURES = ("figure1.*", "years.*", "peak.*", "ladder.*", "trace-*.*")
# Enough digits to repeat every division, few enough to read.
CSV_FLOATS = "%.6g"


def write_report(run: Run) -> Results:
    """Write speedups.csv, report.md, report.html and every figure as SVG and PNG; return what they were made from.

    A run that repeats another one also gets repeat.md, the comparison alone.

    Raises:
        DiskError: a file could not be written.
    """
    everything = measured(run)
    document = compose(everything)
    svgs = {figure.name: Markup(_inline(figure.svg.decode())) for figure in document.figures}
    files: dict[str, str | bytes] = {
        "speedups.csv": speedups_csv(everything),
        "report.md": _environment(html=False).get_template("report.md.j2").render(document=document),
        "report.html": _environment(html=True).get_template("report.html.j2").render(document=document, svgs=svgs),
    }
    repetition = repeat_document(everything)
    if repetition is not None:
        files[REPEAT_FILE] = _environment(html=False).get_template("report.md.j2").render(document=repetition)
    files |= {f"{figure.name}.svg": figure.svg for figure in document.figures}
    files |= {f"{figure.name}.png": figure.png for figure in document.figures}
    try:
        for name, content in files.items():
            write_whole(run.folder / name, content)
        _remove_stale(run.folder, files)
    except OSError as error:
        raise DiskError(
            f"The report in {run.folder} could not be written: {error}. The records are safe; make room, then redraw "
            f"it with: python -m runner report {os.fspath(run.folder)}"
        ) from error
    return everything


def speedups_csv(everything: Results) -> str:
    """The speedups of one run as its speedups.csv has them: the frame without the name of the run."""
    frame = speedups(everything).drop(columns="run")
    return str(frame.to_csv(index=False, float_format=CSV_FLOATS, lineterminator="\n"))


def _remove_stale(folder: Path, drawn: Collection[str]) -> None:
    """Remove the figures of an earlier drawing that the report no longer has; no file that the kit does not name so."""
    for pattern in FIGURES:
        for path in folder.glob(pattern):
            if path.suffix in (".svg", ".png") and path.name not in drawn:
                path.unlink()


def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=html, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["cell"] = _markdown_cell
    environment.filters["code"] = _html_code
    environment.globals["cell_class"] = _cell_class
    return environment


def _html_code(text: str) -> Markup:
    """A sentence in HTML; what stands between backticks, as in Markdown, is code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _cell_class(is_numeric: bool, text: str) -> str:
    """How a cell of a table is set in HTML; "" for the ordinary."""
    if is_numeric:
        return "number"
    words = text.split()
    is_prose = len(text) > LONGEST_WORDS or any(len(word) > LONGEST_WORD for word in words)
    return COLOURED.get(text) or ("prose" if is_prose else "word" if len(words) == 1 else "")


def _markdown_cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")


def _inline(svg: str) -> str:
    """The <svg> element alone, without XML prologue, fit to stand in HTML."""
    return svg[svg.index("<svg") :]
