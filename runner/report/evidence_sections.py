"""The report's section on evidence: why each bar may be believed to have the cause that its label names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from runner.catalogue.stacks import HOLDS_MATRIX_PRODUCT
from runner.evidence.cells import CellEvidence
from runner.evidence.probed import Evidence
from runner.evidence.verdicts import INERT
from runner.machine.cpulist import parse_cpu_list
from runner.report.compiled_sections import compiled_table, compiler_paragraphs
from runner.report.document import Section, Table, table
from runner.report.value_text import plural, present, topology_title
from runner.stats.results import Results
from runner.vocabulary import Group

# A run that was made before there were quiet launches has nothing to hold a logging one's steps against.
UNMEASURED = "by how much was not measured in this run"
# Of each variant's primitives the table shows this many, most time first, and sums up the rest.
MOST_PRIMITIVES = 6
INERT_CAPTION = (
    "Settings without effect on TensorFlow (of another library in the process nothing is said: numpy's OpenBLAS reads "
    "OMP_NUM_THREADS, too)"
)


def evidence_section(measured: Results) -> Section:
    """A verdict for each cell, then what the probes showed: library, threads, primitives, settings without effect."""
    probes = sorted(measured.evidence.values(), key=lambda each: _report_order(measured, each))
    obtained = [evidence for evidence in probes if evidence.error is None]
    tables = [_cells_table(measured)]
    if obtained:
        tables += [_library_table(measured, obtained), _threads_table(obtained), _primitives_table(obtained)]
        more = (compiled_table(obtained), _inert_table(obtained), _effective_table(obtained))
        tables += [each for each in more if each.rows]
    return Section("Evidence", _paragraphs(measured, probes), tuple(tables))


def _report_order(measured: Results, evidence: Evidence) -> tuple[Any, ...]:
    """By stack, the article's order of topologies, then the stack's order of variants."""
    subject = evidence.subject
    known = list(measured.header.stacks[subject.stack].variants)
    group = Group(subject.stack, subject.topology, evidence.batch_size)
    return (*group.report_order(), known.index(subject.variant) if subject.variant in known else len(known))


def _paragraphs(measured: Results, probes: list[Evidence]) -> tuple[str, ...]:
    timed = (
        "Every timed launch records, after its last step, which libraries are mapped, where each thread may run, what "
        "TensorFlow says of oneDNN, and which wheel is installed: that is judged for each of them."
    )
    if not probes:
        return (f"{timed} This run has no probes, so that which kernels ran is not proved beyond that. "
                "`python -m runner probe RUN` obtains what is missing.",)  # fmt: skip
    sizes = ", ".join(str(size) for size in sorted({evidence.batch_size for evidence in probes}))
    return (
        f"Which kernels ran is shown by probes: separate launches that are not timed, of each variant and topology at "
        f"batch size {sizes}, with the verbose switches of oneDNN and OpenMP on. {timed}",
        "A baseline passes if no primitive but gemm_api and reorder ran; every other kind fails it and is named. Lines "
        "of gemm_api are no layers: since 1.14 TensorFlow's own (Eigen) kernels call oneDNN's matrix product for their "
        "tiles, with oneDNN switched off too. `TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL=0` switches that off in the "
        f"same wheel; this kit leaves it as shipped, so that stock keeps the product here.{_silent_product(measured)} "
        "A cell whose evidence fails or could not be obtained is marked in the table of speedups and hatched in "
        "Figure 1.",
        "A library may choose other kernels at another batch size; which of them ran at the timed size was not logged.",
        "OpenMP threads form teams: each thread of TensorFlow's that enters a parallel kernel leads one, so that two "
        "teams may share the same cores by turns. A main thread that is alone, with a number other than 0, leads none: "
        "it is bound as it loads the runtime, or as the workload asks OpenMP, after the last step, how many threads it "
        "has. Of the threads that OpenMP names, a verdict counts those that worked in the timed steps; in a timed "
        "launch, which has no log, as many bound threads as OpenMP has, where those did most of the work.",
        *_confined(measured, [evidence for evidence in probes if evidence.error is None]),
        *compiler_paragraphs(measured, [evidence for evidence in probes if evidence.error is None]),
    )


def _silent_product(measured: Results) -> str:
    """A sentence on the releases whose matrix product leaves no line, where one of them is in the run."""
    held = [content for each in measured.header.stacks.values() for content in each.holds.values()]
    if HOLDS_MATRIX_PRODUCT not in held:
        return ""
    return (" In TensorFlow 1.14 and 1.15 that product prints no line, so that it leaves no trace in the log; 1.12 has "
            "none.")  # fmt: skip


def _confined(measured: Results, obtained: list[Evidence]) -> tuple[str, ...]:
    """A sentence on each variant whose own threads, not only OpenMP's, may use a part of the pin only."""
    pin = frozenset(measured.header.plan.pin.cpus)
    found: dict[tuple[str, str], str] = {}
    for evidence in obtained:
        masks = [text for text in evidence.threads["allowed_cpus"] if text is not None]
        narrow = Counter(text for text in masks if parse_cpu_list(text) < pin)
        bound = Counter(each["cpus"] for each in evidence.threads["bound"])
        confined = {cpus: count - bound[cpus] for cpus, count in narrow.items() if bound and count > bound[cpus]}
        for cpus, others in confined.items():
            key = (evidence.subject.stack, evidence.subject.variant)
            text = (
                f"On {' '.join(key)} {narrow[cpus]} of {plural(len(masks), 'thread')} may run on CPU {cpus} only, and "
                f"{others} of them are not OpenMP's: its runtime binds the thread that loads it, as KMP_AFFINITY asks, "
                "and the pools which TensorFlow starts from there inherit that. What does not run in OpenMP shares "
                "that CPU."
            )
            found.setdefault(key, text)
    return tuple(found.values())


def _cells_table(measured: Results) -> Table:
    order = {launch.cell: (*launch.cell.group.report_order(),) for launch in measured.run.launches}
    cells = sorted(measured.cells.values(), key=lambda each: (order[each.cell], _rank(measured, each)))
    rows = [
        (each.cell.stack, each.cell.variant, topology_title(each.cell.topology), str(each.cell.batch_size),
         each.status.upper() if each.remark else each.status, str(len(each.launches)), _grounds(each))
        for each in cells
    ]  # fmt: skip
    columns = ("stack", "variant", "topology", "batch size", "evidence", "launches", "why")
    return table(columns, rows, ("batch size", "launches"), caption="Each timed cell")


def _rank(measured: Results, each: CellEvidence) -> int:
    return measured.variants(each.cell.stack).index(each.cell.variant)


def _grounds(each: CellEvidence) -> str:
    """Why a cell failed; or the sentences of its probe, and those of its launches, each with where it is from."""
    if each.reason:
        where = [name for name, _ in each.failures]
        return f"{each.reason} (in: {', '.join(dict.fromkeys(where))})" if where else each.reason
    probe = [verdict.text for verdict in each.probe.verdicts if not verdict.id.startswith(INERT)] if each.probe else []
    parts = [f"In the probe (batch size {each.probe.batch_size}): {' '.join(probe)}"] if each.probe and probe else []
    total = len(each.launches)
    by_count: dict[int, list[str]] = {}
    for text, count in Counter(text for texts in _texts(each) for text in texts).items():
        by_count.setdefault(count, []).append(text)
    for count, texts in sorted(by_count.items(), reverse=True):
        some = "each" if count == total else str(count)
        those = "the timed launch" if total == 1 else f"{some} of {total} timed launches"
        parts.append(f"In {those}: {' '.join(texts)}")
    return " ".join(parts) or "Its launches recorded nothing of themselves."


def _texts(each: CellEvidence) -> list[dict[str, None]]:
    """The sentences of each timed launch, every one once."""
    return [dict.fromkeys(verdict.text for verdict in verdicts) for verdicts in each.launches.values()]


def _library_table(measured: Results, obtained: list[Evidence]) -> Table:
    """One row for each different answer of a variant: it is the same on all topologies unless something is wrong."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for evidence in obtained:
        library: Mapping[str, Any] = evidence.library or {}
        name = " ".join(str(library[key]) for key in ("name", "version") if library.get(key)) or "no verbose line"
        threads = library.get("threads") or evidence.threads["openmp_max_threads"]
        row = (evidence.subject.stack, evidence.subject.variant, name, present(library.get("isa")),
               present(library.get("runtime")), present(threads))  # fmt: skip
        rows.setdefault(row, []).append(topology_title(evidence.subject.topology))
    found = [(*row, ", ".join(topologies)) for row, topologies in rows.items()]
    columns = ("stack", "variant", "library", "instruction set dispatched", "runtime", "threads", "topologies")
    return table(columns, found, ("threads",), caption="Library, instruction set and threading runtime")


def _threads_table(obtained: list[Evidence]) -> Table:
    rows = []
    for evidence in obtained:
        seen = evidence.threads
        bound = [f"{each['thread']} → {each['cpus']}{' (main)' if each['is_main_thread'] else ''}"
                 for each in seen["bound"]]  # fmt: skip
        allowed = [text for text in seen["allowed_cpus"] if text is not None]
        counts = [f"{plural(allowed.count(text), 'thread')} on {text}" for text in dict.fromkeys(allowed)]
        rows.append((
            evidence.subject.stack, evidence.subject.variant, topology_title(evidence.subject.topology),
            ", ".join(bound) or "no OpenMP thread bound", "; ".join(counts),
        ))  # fmt: skip
    columns = ("stack", "variant", "topology", "OpenMP thread → CPU", "allowed CPUs of all threads")
    return table(columns, rows, caption="Where each thread was bound")


def _primitives_table(obtained: list[Evidence]) -> Table:
    rows = []
    for evidence in obtained:
        head = (evidence.subject.stack, evidence.subject.variant, topology_title(evidence.subject.topology))
        whole = evidence.milliseconds
        rows += [
            (
                *head,
                each["kind"],
                each["implementation"] or "—",
                str(each["count"]),
                _share(each["milliseconds"], whole),
            )
            for each in evidence.primitives[:MOST_PRIMITIVES]
        ]
        rest = evidence.primitives[MOST_PRIMITIVES:]
        if rest:
            spent = sum(primitive["milliseconds"] for primitive in rest)
            count = str(sum(primitive["count"] for primitive in rest))
            rows.append((*head, plural(len(rest), "other"), "—", count, _share(spent, whole)))
        reorders = evidence.reorders
        rows.append((*head, "all reorders (layout conversions)", "—", str(reorders["count"]),
                     _share(reorders["milliseconds"], whole)))  # fmt: skip
    columns = ("stack", "variant", "topology", "primitive", "implementation", "count", "share of time")
    is_told = any(evidence.trace and evidence.quiet is not None for evidence in obtained)
    caption = (
        "Primitives, over all steps of a probe; shares are of the time of all primitives as the verbose lines give it, "
        f"in a launch that logging slows ({'by how much, the table of traced steps says' if is_told else UNMEASURED})"
    )
    return table(columns, rows, columns[5:], caption=caption)


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "—"


def _inert_table(obtained: list[Evidence]) -> Table:
    rows: dict[tuple[str, str, str], None] = {}
    for evidence in obtained:
        for verdict in evidence.verdicts:
            if verdict.id.startswith(INERT):
                rows[evidence.subject.stack, evidence.subject.variant, verdict.text] = None
    return table(("stack", "variant", "setting"), list(rows), caption=INERT_CAPTION)


def _effective_table(obtained: list[Evidence]) -> Table:
    """What OpenMP says is in effect, of the settings that were asked for."""
    rows: dict[tuple[str, ...], None] = {}
    for evidence in obtained:
        for name, value in evidence.settings["environment"].items():
            if name in evidence.settings["effective"]:
                effective = evidence.settings["effective"][name]
                rows[evidence.subject.stack, evidence.subject.variant, name, value, effective] = None
    columns = ("stack", "variant", "setting", "asked for", "in effect")
    return table(columns, list(rows), caption="OpenMP's settings as asked for and as its runtime prints them")
