"""Ends a run on the terminal: writes the report, and shows its table and its path."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from runner.catalogue.publications import Publication, load_publication
from runner.claims.together import judge_together
from runner.cli.progress import CONSOLE
from runner.report.findings import findings, warnings
from runner.report.first_screen import first_screen
from runner.report.ladder_findings import ladder_findings, ladder_warnings
from runner.report.ladder_sections import COLUMNS, ladder_reasons, ladder_rows
from runner.report.measured import completing, measured
from runner.report.reproduction import compose_reproduction, summary_rows, tally, what_decides
from runner.report.value_text import ends, factor, topology_title
from runner.report.write import write_document, write_report
from runner.stats.results import Results
from runner.stats.verdict_words import NO_CLEAR_DIFFERENCE
from runner.status import NO_FAULT, Status
from runner.storage.reproductions import Reproduction
from runner.storage.runs import Run

SIMULTANEOUS = "95%, {} at once"
# A terminal is narrow: the changes of a rung and its own interval are shown only in the report.
SHOWN_OF_LADDERS = (COLUMNS[0], *COLUMNS[2:4], *COLUMNS[5:])


def print_results(run: Run, publications: Sequence[Publication] = ()) -> bool:
    """Write a run's report and show its table; return whether every planned cell was measured without an error.

    The report also judges `publications`, besides the article.
    Evidence that could not be obtained is shown, but is not an error of the measurement.
    """
    everything = write_report(run, publications)
    if everything.ladders:
        return _print_ladders(everything)
    CONSOLE.print(speedup_table(everything))
    CONSOLE.print()
    first = first_screen(everything, load_publication())
    advice = first.advice if first else ()
    for text in (*warnings(everything), *advice, *findings(everything, load_publication())):
        CONSOLE.print(text, markup=False)
    _print_places(everything)
    return all(pair.status in NO_FAULT for pair in everything.pairs)


def print_reproduction(made: Reproduction) -> None:
    """Judge every claim by the parts of a reproduction, write its report, and show the verdicts.

    Raises:
        UsageError: the parts were not measured on one host.
        RunFormatError: a part's files are damaged, or of a newer schema.
        DiskError: the report cannot be written.
    """
    article = load_publication()
    parts = [measured(each) for each in made.runs]
    judged = judge_together(article, parts)
    write_document(made.folder, compose_reproduction(made, parts, article), {})
    title = f"\n{article.short}'s claims on this host, reproduction {made.folder.name}"
    table = Table(box=None, pad_edge=False, title_justify="left", title=title)
    for name in ("claim", "here [95%]", "verdict", "missing", "judged by"):
        table.add_column(name, no_wrap=name == "judged by")
    for row in summary_rows(made, judged):
        table.add_row(*map(Text, row))
    CONSOLE.print(table)
    CONSOLE.print(f"\n{tally(judged)}", markup=False)
    folder = shlex.quote(str(made.folder))
    for command in dict.fromkeys(filter(None, (what_decides(made, each) for each in judged))):
        CONSOLE.print(f"to decide more: {command.replace('RUN', folder)}", markup=False, soft_wrap=True)
    CONSOLE.print(f"\nreport: {made.folder / 'report.html'}", markup=False, soft_wrap=True)


def _print_ladders(everything: Results) -> bool:
    """The table of each ladder, as in the report."""
    for result in everything.ladders:
        group = result.group
        what = f"{group.stack}, {topology_title(group.topology)}, batch size {group.batch_size}"
        title = f"\n{what}, run {everything.run.name}"
        table = Table(box=None, pad_edge=False, title_justify="left", title=title)
        for name in SHOWN_OF_LADDERS:
            numeric = name in SHOWN_OF_LADDERS[1:4]
            least = len(NO_CLEAR_DIFFERENCE) if name == COLUMNS[-1] else None
            table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric, min_width=least)
        for row in ladder_rows(result):
            table.add_row(*(row[COLUMNS.index(name)] for name in SHOWN_OF_LADDERS))
        CONSOLE.print(table)
        for text in ladder_reasons(result):
            CONSOLE.print(text, markup=False)
    CONSOLE.print()
    texts = (*ladder_warnings(everything), *warnings(everything), *ladder_findings(everything, load_publication()))
    for text in texts:
        CONSOLE.print(text, markup=False)
    _print_places(everything)
    return all(result.is_whole for result in everything.ladders)


def _print_places(everything: Results) -> None:
    """Print the path of the report, and the command that completes the run."""
    folder = everything.run.folder
    if everything.has_partial:
        command = completing(everything).replace("RUN", shlex.quote(str(folder)))
        CONSOLE.print(f"\nto complete it: {command}", markup=False, soft_wrap=True)
    CONSOLE.print(f"\nreport: {folder / 'report.html'}", markup=False, soft_wrap=True)


def speedup_table(everything: Results) -> Table:
    """The speedups as a table for the terminal."""
    sizes = everything.batch_sizes
    title = f"\nspeedups, batch size {', '.join(map(str, sizes))}, run {everything.run.name}"
    table = Table(box=None, pad_edge=False, title_justify="left", title=title)
    # The interval that the verdicts are based on; the report has both intervals.
    joint = SIMULTANEOUS.format(everything.family) if everything.family > 1 else "95% interval"
    columns = {"stack": len(everything.stacks) > 1, "topology": True, "batch": len(sizes) > 1, "pair": True,
               "speedup": True, joint: True, "verdict": True}  # fmt: skip
    shown = [name for name, wanted in columns.items() if wanted]
    for name in shown:
        table.add_column(
            name, no_wrap=True, justify="left" if name in ("stack", "topology", "pair", "verdict") else "right"
        )
    for row in everything.speedups.values():
        pair, group = row.pair, row.pair.group
        verdict = row.verdict if pair.status == Status.OK else f"{row.verdict} ({pair.status.words})"
        cells = {"stack": group.stack, "topology": topology_title(group.topology), "batch": str(group.batch_size),
                 "pair": f"{pair.candidate} / {pair.baseline}", "speedup": factor(row.alone),
                 joint: ends(row.together), "verdict": verdict.strip()}  # fmt: skip
        table.add_row(*(cells[name] for name in shown))
    return table
