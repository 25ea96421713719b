"""Writes everything that is derived from a run's records into its folder. Writing it again gives the same bytes."""

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

# This file is beside the report of a run that repeats another run.
REPEAT_FILE = "repeat.md"
TEMPLATES = Path(__file__).resolve().parent / "templates"
# The verdicts that are coloured, because a reader looks for them first. Every other cell is black.
COLOURED = {
    "reproduced": "good", "faster": "good", "passed": "good", "same training": "good",
    "not reproduced": "bad", "slower": "bad", "DIFFERENT": "bad", "FAILED": "bad",
    "partly": "mixed", "no clear difference": "mixed",
}  # fmt: skip
# A cell of more characters than LONGEST_WORDS is set as prose, with the width that a sentence needs. So is a cell with
# a word of more than LONGEST_WORD characters, so that the word may break anywhere. Otherwise it would push the columns
# after it out of sight.
LONGEST_WORDS = 60
LONGEST_WORD = 32
# The names of the kit's figures. Figures of an earlier drawing are found by these.
FIGURES = ("figure1.*", "years.*", "peak.*", "ladder.*", "trace-*.*", "turns.*")
# Six digits are enough to repeat every division, and few enough to read.
CSV_FLOATS = "%.6g"


def write_report(run: Run) -> Results:
    """Write speedups.csv, report.md, report.html and every figure as SVG and PNG. Return the results they show.

    A run that repeats another run also gets repeat.md, which has only the comparison of the two.

    Raises:
        RunFormatError: the records, peaks or evidence are damaged, or of a newer schema.
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
            f"The report in {run.folder} could not be written: {error}. The records are safe. Make room on the disk, "
            f"then draw the report again with: python -m runner report {os.fspath(run.folder)}"
        ) from error
    return everything


def speedups_csv(everything: Results) -> str:
    """Return the text of a run's speedups.csv: the frame of speedups without the column of the run's name."""
    frame = speedups(everything).drop(columns="run")
    return str(frame.to_csv(index=False, float_format=CSV_FLOATS, lineterminator="\n"))


def _remove_stale(folder: Path, drawn: Collection[str]) -> None:
    """Remove figures of an earlier drawing that the report no longer has, by the names that the kit gives figures."""
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
    """Return a sentence in HTML. Text between backticks is code, as in Markdown."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _cell_class(is_numeric: bool, text: str) -> str:
    """Return the CSS class of a table's cell in HTML; empty for an ordinary cell."""
    if is_numeric:
        return "number"
    words = text.split()
    is_prose = len(text) > LONGEST_WORDS or any(len(word) > LONGEST_WORD for word in words)
    return COLOURED.get(text) or ("prose" if is_prose else "word" if len(words) == 1 else "")


def _markdown_cell(text: str) -> str:
    """Return a text in Markdown, in which no tag, Markdown link or picture is made by what a host calls itself."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").replace("](", "]\\(")


def _inline(svg: str) -> str:
    """Return the <svg> element alone, without the XML prologue, so that it can be inserted in HTML."""
    return svg[svg.index("<svg") :]
