"""`claims`: compares a run with publications, claim by claim; or describes what the article's own script does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from runner.catalogue.publications import (
    ALL,
    ARTICLE,
    OriginalScript,
    Publication,
    find_publication,
    load_publication,
    publication_names,
)
from runner.claims.together import JudgedByRun, judge_together
from runner.cli.engines import Engines
from runner.cli.progress import CONSOLE, say
from runner.errors import EXIT_DONE, UsageError
from runner.report.claims_sections import differences_table, here, published
from runner.report.reproduction import tally, verdict_of
from runner.stats.results import results_of
from runner.storage import runs
from runner.storage.reproductions import is_reproduction, load


@dataclass(frozen=True)
class Options:
    """What the command line asks for: `runs` are folders of runs or reproductions, `publication` a name or `all`."""

    runs: Sequence[Path]
    publication: str | None
    json: bool
    original_script: bool


def run(options: Options, _engines: Engines) -> int:
    """Print the verdicts, as text or as JSON."""
    if not options.runs and not options.original_script:
        raise UsageError("Name a run's folder to compare with a publication, or give --original-script.")
    names = publication_names() if options.publication == ALL else [options.publication or ARTICLE]
    publications = [find_publication(name) for name in names]
    judged = _judged(options.runs, publications)
    script = _script(publications) if options.original_script else None
    if options.json:
        print(json.dumps(_json(judged, script), indent=1, ensure_ascii=False, allow_nan=False))
        return EXIT_DONE
    for publication in publications:
        of_it = [each for each in judged if each.judgement.publication is publication]
        if of_it:
            _print_claims(publication, of_it)
    if script is not None:
        _print_script(script)
    return EXIT_DONE


def _judged(folders: Sequence[Path], publications: Sequence[Publication]) -> list[JudgedByRun]:
    """The verdict on each claim of the publications. Of a reproduction all parts count."""
    if not folders:
        return []
    found = [
        each for folder in folders for each in (load(folder).runs if is_reproduction(folder) else [runs.load(folder)])
    ]
    measured = [results_of(each) for each in found]
    return [each for publication in publications for each in judge_together(publication, measured)]


def _script(publications: Sequence[Publication]) -> OriginalScript:
    """The script of the publication that was asked for, if it has one; else the article's."""
    own = next((each.original_script for each in publications if each.original_script is not None), None)
    script = own or load_publication(ARTICLE).original_script
    if script is None:
        raise UsageError(f"results/publications/{ARTICLE}.toml has no original script.")
    return script


def _json(judged: Sequence[JudgedByRun], script: OriginalScript | None) -> dict[str, Any]:
    claims = [{**each.judgement.to_json(), "run": each.results.run.name, "others": dict(each.others),
               "is_open": each.is_open}
              for each in judged]  # fmt: skip
    found: dict[str, Any] = {"claims": claims}
    if script is not None:
        found["original_script"] = asdict(script)
    return found


def _print_claims(publication: Publication, judged: Sequence[JudgedByRun]) -> None:
    judgements = [each.judgement for each in judged]
    several = len({each.results.run.name for each in judged}) > 1
    say(f"\n{publication.title} ({publication.authors}, {publication.year})")
    say(f"{tally(judged)} Nearest stack: {publication.nearest_stack}.\n")
    for by_run in judged:
        each = by_run.judgement
        say(f"{verdict_of(by_run).upper()}  {each.claim.id}: {each.claim.words}")
        say(f"    {each.claim.says}")
        figure = published(each) if each.claim.value is None else f"published {published(each)}"
        say(f"    {each.claim.metric}: {figure}, here {here(each)}")
        say(f"    {each.answer.why}")
        if several:
            say(f"    judged by {by_run.results.run.name}")
        for name, verdict in by_run.others:
            say(f"    by {name}: {verdict}")
    differing = differences_table(judgements)
    if differing.rows:
        table = Table(
            *differing.columns, box=None, pad_edge=False, title_justify="left", title=f"\n{differing.caption}"
        )
        for row in differing.rows:
            table.add_row(*row)
        CONSOLE.print(table, markup=False)


def _print_script(script: OriginalScript) -> None:
    say(f"\n{script.text}\n({script.source})")
    for point in script.points:
        say(f"\n{point.point}")
        say(f"    asked     {point.asked}")
        say(f"    does      {point.does}")
        say(f"    this kit  {point.kit}")
