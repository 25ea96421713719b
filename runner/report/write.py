"""Writes everything that is derived from a run's records into its folder. Writing it again gives the same bytes."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from runner.catalogue.publications import Publication
from runner.errors import DiskError
from runner.frames import speedups
from runner.report.contents import compose
from runner.report.document import Document
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
    "partly": "mixed", "overridden": "mixed", "not decided yet": "mixed", "no clear difference": "mixed",
}  # fmt: skip
# A cell of more characters than LONGEST_WORDS is set as prose, with the width that a sentence needs. So is a cell with
# a word of more than LONGEST_WORD characters, so that the word may break anywhere. Otherwise it would push the columns
# after it out of sight.
LONGEST_WORDS = 60
LONGEST_WORD = 32
# The names of the kit's figures. Figures of an earlier drawing are found by these.
FIGURES = ("forest.*", "figure1.*", "years.*", "peak.*", "ladder.*", "trace-*.*", "turns.*")
# Six digits are enough to repeat every division, and few enough to read.
CSV_FLOATS = "%.6g"


def write_report(run: Run, publications: Sequence[Publication] = ()) -> Results:
    """Write speedups.csv, report.md, report.html and every figure, and return the results that they show.

    Every figure is written as SVG and PNG, and Figure 1 as PDF too.
    A run that repeats another run also gets repeat.md, which has only the comparison of the two. `publications` are
    judged besides the article.

    Raises:
        RunFormatError: the records, peaks or evidence are damaged, or of a newer schema.
        DiskError: a file could not be written.
    """
    everything = measured(run)
    also = {"speedups.csv": speedups_csv(everything)}
    repetition = repeat_document(everything)
    if repetition is not None:
        also[REPEAT_FILE] = _environment(html=False).get_template("report.md.j2").render(document=repetition)
    write_document(run.folder, compose(everything, publications), also)
    return everything


def write_document(folder: Path, document: Document, also: Mapping[str, str | bytes]) -> None:
    """Write a document into a folder as report.md and report.html, with its figures and the files in `also`, by name.

    Raises:
        DiskError: a file could not be written.
    """
    svgs = {figure.name: Markup(_inline(figure.svg.decode())) for figure in document.figures}
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    files: dict[str, str | bytes] = {
        **also,
        "report.md": _environment(html=False).get_template("report.md.j2").render(document=document),
        "report.html": _environment(html=True)
        .get_template("report.html.j2")
        .render(document=document, svgs=svgs, script=Markup(script), script_hash=_hash_of(script)),
    }
    pictures = (*document.figures, *((document.picture,) if document.picture else ()))
    files |= {f"{figure.name}.svg": figure.svg for figure in pictures}
    files |= {f"{figure.name}.png": figure.png for figure in pictures}
    files |= {f"{figure.name}.pdf": figure.pdf for figure in pictures if figure.pdf}
    try:
        for name, content in files.items():
            write_whole(folder / name, content)
        _remove_stale(folder, files)
    except OSError as error:
        raise DiskError(
            f"The report in {folder} could not be written: {error}. The records are safe. Make room on the disk, "
            f"then draw the report again with: python -m runner report {os.fspath(folder)}"
        ) from error


def speedups_csv(everything: Results) -> str:
    """Return the text of a run's speedups.csv: the frame of speedups without the column of the run's name."""
    frame = speedups(everything).drop(columns="run")
    return str(frame.to_csv(index=False, float_format=CSV_FLOATS, lineterminator="\n"))


def _remove_stale(folder: Path, drawn: Collection[str]) -> None:
    """Remove figures of an earlier drawing that the report no longer has, by the names that the kit gives figures."""
    for pattern in FIGURES:
        for path in folder.glob(pattern):
            if path.suffix in (".svg", ".png", ".pdf") and path.name not in drawn:
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


def _hash_of(script: str) -> str:
    """Return the source expression by which the page's policy allows this script, and no other."""
    return f"sha256-{b64encode(sha256(script.encode('utf-8')).digest()).decode('ascii')}"


def _html_code(text: str) -> Markup:
    """Return a sentence in HTML. As in Markdown, text between backticks is code, and between double asterisks bold."""
    coded = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", coded))


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
