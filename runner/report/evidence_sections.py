"""The report's section on evidence: what shows that each bar has the cause that its label names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
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

PASSED = "passed"
# Runs of earlier versions have no quiet launch with whose steps those of a logging launch could be compared.
UNMEASURED = "by how much was not measured in this run"
# The table shows this many primitives of each variant, those with most time first, and sums up the rest.
MOST_PRIMITIVES = 6
INERT_CAPTION = (
    "Settings without effect on TensorFlow (they may affect another library in the process: numpy's OpenBLAS also "
    "reads OMP_NUM_THREADS)"
)


def evidence_section(measured: Results) -> Section:
    """Return the section: a verdict for each cell, then what the probes showed.

    The probes show the library, the threads, the primitives and the settings without effect.
    """
    probes = sorted(measured.evidence.values(), key=lambda each: probe_order(measured, each))
    obtained = [evidence for evidence in probes if evidence.error is None]
    tables = list(_cells_tables(measured))
    if obtained:
        folded = (
            _threads_table(obtained), _primitives_table(obtained), compiled_table(obtained), _inert_table(obtained),
            _effective_table(obtained),
        )  # fmt: skip
        tables += [_library_table(measured, obtained), *(replace(each, folded=True) for each in folded if each.rows)]
    passed = sum(each.status == PASSED for each in measured.cells.values())
    told = f"{passed} of {plural(len(measured.cells), 'cell')} passed"
    return Section("Evidence", _paragraphs(measured, probes), tuple(tables), summary=told)


def probe_order(measured: Results, evidence: Evidence) -> tuple[Any, ...]:
    """Return the key by which probes are sorted: the report's order of groups, then the stack's order of variants."""
    subject = evidence.subject
    known = list(measured.header.stacks[subject.stack].variants)
    group = Group(subject.stack, subject.topology, evidence.batch_size)
    return (*group.report_order(), known.index(subject.variant) if subject.variant in known else len(known))


def _paragraphs(measured: Results, probes: list[Evidence]) -> tuple[str, ...]:
    timed = (
        "Every timed launch records, after its last step, which libraries are mapped, where each thread may run, what "
        "TensorFlow says of oneDNN, and which wheel is installed. This is judged for each launch."
    )
    if not probes:
        return (f"{timed} This run has no probes, so that nothing else shows which kernels ran. "
                "`python -m runner probe RUN` obtains the missing evidence.",)  # fmt: skip
    sizes = ", ".join(str(size) for size in sorted({evidence.batch_size for evidence in probes}))
    return (
        "Probes show which kernels ran. They are separate launches that are not timed, of each variant and topology at "
        f"batch size {sizes}, with the verbose switches of oneDNN and OpenMP on. {timed}",
        "A baseline passes if no primitive but gemm_api and reorder ran. Any other kind of primitive fails it and is "
        "named. Lines of gemm_api are not layers: since 1.14 TensorFlow's own (Eigen) kernels call oneDNN's matrix "
        "product for their tiles, even with oneDNN switched off. `TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL=0` switches "
        "that off in the same wheel. This kit leaves it as shipped, so that stock calls this matrix product here."
        f"{_silent_product(measured)} A cell whose evidence fails or could not be obtained is marked in the table of "
        "speedups and hatched in Figure 1.",
        "A library may choose other kernels at another batch size. Which kernels ran at the timed size was not logged.",
        "OpenMP threads form teams. Each of TensorFlow's threads that enters a parallel kernel leads a team, so that "
        "two teams may take turns on the same cores. A main thread that is alone and has a number other than 0 leads "
        "no team. It is bound when it loads the runtime, or after the last step, when the workload asks OpenMP how "
        "many threads it has. A verdict on a probe counts those of OpenMP's threads that worked in the timed steps. A "
        "timed launch has no log: there a verdict counts as many bound threads as OpenMP has, if these did most of the "
        "work.",
        *_confined(measured, [evidence for evidence in probes if evidence.error is None]),
        *compiler_paragraphs(measured, [evidence for evidence in probes if evidence.error is None]),
    )


def _silent_product(measured: Results) -> str:
    """Return a sentence on the releases whose matrix product prints no line, if the run has one of them; else empty."""
    held = [content for each in measured.header.stacks.values() for content in each.holds.values()]
    if HOLDS_MATRIX_PRODUCT not in held:
        return ""
    return (" In TensorFlow 1.14 and 1.15 this matrix product prints no line, so that the log does not show it. "
            "TensorFlow 1.12 does not have it.")  # fmt: skip


def _confined(measured: Results, obtained: list[Evidence]) -> tuple[str, ...]:
    """Return a sentence on each variant of which other threads than OpenMP's may run on only a part of the pin."""
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
                f"{others} of them are not OpenMP's. Its runtime binds the thread that loads it, as KMP_AFFINITY asks, "
                "and the thread pools that TensorFlow starts from that thread inherit the binding. All operations that "
                "do not run in OpenMP share that CPU."
            )
            found.setdefault(key, text)
    return tuple(found.values())


def _cells_tables(measured: Results) -> tuple[Table, ...]:
    """Return the cells whose evidence did not pass, if there are any, and below them those whose evidence passed."""
    order = {launch.cell: (*launch.cell.group.report_order(),) for launch in measured.run.launches}
    cells = sorted(measured.cells.values(), key=lambda each: (order[each.cell], _rank(measured, each)))
    columns = ("stack", "variant", "topology", "batch size", "evidence", "launches", "why")
    passed, others = (
        [
            (each.cell.stack, each.cell.variant, topology_title(each.cell.topology), str(each.cell.batch_size),
             each.status.upper() if each.remark else each.status, str(len(each.launches)), _grounds(each))
            for each in cells
            if (each.status == PASSED) is has_passed
        ]
        for has_passed in (True, False)
    )  # fmt: skip
    exceptions = table(columns, others, ("batch size", "launches"), caption="Cells whose evidence did not pass")
    rest = table(columns, passed, ("batch size", "launches"), caption="Cells whose evidence passed, each with why")
    return (*((exceptions,) if others else ()), *((replace(rest, folded=True),) if passed else ()))


def _rank(measured: Results, each: CellEvidence) -> int:
    return measured.variants(each.cell.stack).index(each.cell.variant)


def _grounds(each: CellEvidence) -> str:
    """Return why a cell failed, or else the sentences of its probe and of its launches, each with its origin."""
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
    """Return the sentences of each timed launch, without repetitions."""
    return [dict.fromkeys(verdict.text for verdict in verdicts) for verdicts in each.launches.values()]


def _library_table(measured: Results, obtained: list[Evidence]) -> Table:
    """Return one row for each different answer of a variant. All topologies give the same unless something is wrong."""
    rows: dict[tuple[str, ...], list[str]] = {}
    libraries = [
        (evidence, library)
        for evidence in obtained
        for library in (evidence.library or {}, *evidence.further_libraries)
    ]
    for evidence, library in libraries:
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
        "Primitives, over all steps of a probe. Shares are of the time of all primitives as the verbose lines give it, "
        f"in a launch that logging slows ({'the table of traced steps says by how much' if is_told else UNMEASURED})"
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
    """Return one row for each setting that was asked for, with the value that OpenMP reports to be in effect."""
    rows: dict[tuple[str, ...], None] = {}
    for evidence in obtained:
        for name, value in evidence.settings["environment"].items():
            if name in evidence.settings["effective"]:
                effective = evidence.settings["effective"][name]
                rows[evidence.subject.stack, evidence.subject.variant, name, value, effective] = None
    columns = ("stack", "variant", "setting", "asked for", "in effect")
    return table(columns, list(rows), caption="OpenMP's settings as asked for and as its runtime prints them")
