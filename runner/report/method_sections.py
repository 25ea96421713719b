"""The report's sections on how it was measured: platform, conditions, settings, and how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping

from runner.catalogue.publications import Publication
from runner.catalogue.stacks import Variant
from runner.checks.conditions import flatten
from runner.host.microarchitecture import microarchitecture
from runner.report.document import Section, Table, table
from runner.report.host_sections import host_notes
from runner.report.measured import condition
from runner.report.observer import observer_sentences
from runner.report.value_text import plural, present
from runner.stats.results import Results
from runner.storage.header import RecordedMatch, RecordedStack

# What the tables say of what a pair may differ in.
COMPARED = "what is compared"


def platform_section(measured: Results, article: Publication) -> Section:
    """Return the section with the article's platform table, filled in for this host."""
    host = _host_rows(measured)
    rows = [(name, article.platform.get(name, "not stated"), host.get(name, "not known")) for name in host]
    columns = ("", f"the article ({article.year})", "this host")
    told = f"{host['Processor']}; {host['Platform']}"
    return Section("The platform, beside the article's", host_notes(measured), (table(columns, rows),), summary=told)


def settings_section(measured: Results) -> Section:
    """Return the section on what differs within a pair, and on the settings that are the same on all variants."""
    tables = []
    for stack, entry in measured.header.stacks.items():
        variants = measured.variants(stack)
        tables.append(_difference_table(stack, entry, variants))
        tables.append(_choices_table(stack, entry, variants))
    tables.append(_bkm_table(measured))
    paragraph = (
        "A pair differs in one wheel at most, or in the packages that one side declares to add, and in the declared "
        "settings below. It differs in nothing else: both sides have the same Python, the same other packages (by "
        "hash), the same workload files, the same pin, the same thread counts and the same seeds. Everything that is "
        "not in the first table is equal."
    )
    stacks = ",".join(stack for stack in measured.stacks if measured.vendors_build(stack)) or measured.stacks[0]
    as_shipped = (
        "The baseline has the candidate's pin and the settings below. How fast stock is as a user gets it, with no "
        f"setting at all and on every logical CPU, is another question. python -m runner ablate --stack {stacks} "
        "begins with that baseline and goes on, one change at a time, to Intel's build where there is one."
    )
    told = "what a pair may differ in, and the settings of all variants"
    return Section("What is held equal, and what differs", (paragraph, as_shipped), tuple(tables), summary=told)


def matched_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section on the comparison of all files of both installations; nothing for runs without one."""
    found = measured.header.matched
    if not found:
        return ()
    rows = []
    for stack, match in found.items():
        pair = " / ".join(match.installations)
        for entry in match.packages:
            verdict = COMPARED if entry.allowed else "MUST NOT DIFFER"
            rows.append((stack, pair, str(match.compared), entry.package, str(entry.differences), verdict))
    columns = ("stack", "installations", "files and settings compared", "package", "differences", "verdict")
    paragraph = (
        "Before the run, every file of both installations was hashed and compared by path, mode and content. Nothing "
        "in the installations was started for this. Everything that is not listed here is the same on both sides. The "
        "labels of an image, which name the wheel and its lock, belong to no package."
    )
    shown = table(columns, rows, (columns[2], columns[4]))
    wrong = sum(not entry.allowed for match in found.values() for entry in match.packages)
    compared = sum(match.compared for match in found.values())
    told = f"{compared:,} files and settings compared, {plural(wrong, 'package')} with a difference that is not allowed"
    return (Section("Matched, file by file", (paragraph, *_as_locked(found)), (shown,), summary=told),)


def _as_locked(found: Mapping[str, RecordedMatch]) -> tuple[str, ...]:
    """Return how many files were compared with the wheels of the locks, or that an older run did not compare them."""
    told = [
        f"{stack} {each.installation}: {each.files:,} files of {each.distributions} wheels"
        + (f"; not locked, because they come with the interpreter: {', '.join(each.unlocked)}" if each.unlocked else "")
        for stack, match in found.items()
        for each in match.contents
        if each.held
    ]
    if not told:
        return ("In this run files were only compared with one another, and not with the hash-locked wheels.",)
    return (
        "Each of these files was also compared with the hash-locked wheel that it came from, by the hashes that the "
        "repository keeps of the wheels' contents. All of them agree, and no file is installed that no wheel contains. "
        "Byte-code was compiled again from the sources, or compared with what the sources compile to. "
        f"{'. '.join(told)}.",
    )


def conditions_section(measured: Results) -> Section:
    """Return the section with every condition of the run's launches. They must be equal before records are divided."""
    usable = measured.usable
    if not usable:
        return Section("Every condition", ("No launch has ended well.",))
    values: dict[str, list[str]] = {}
    for record in usable:
        for name, value in flatten(record.conditions):
            seen, shown = values.setdefault(name, []), condition(measured, name, value)
            if shown not in seen:
                seen.append(shown)
    rows = [(name, " / ".join(seen)) for name, seen in sorted(values.items())]
    paragraph = (
        "Records are divided by one another only if all of these are equal. Not known means that this host does not "
        "say."
    )
    paragraphs = (paragraph, *observer_sentences(usable))
    told = f"{len(rows)} conditions, with every value that a launch had"
    return Section("Every condition", paragraphs, (table(("condition", "value"), rows),), summary=told)


def environment_section(measured: Results) -> Section:
    """Return the section with every environment variable of each variant's launches."""
    launches = {(launch.cell.stack, launch.cell.variant): launch for launch in measured.run.launches}
    names = sorted({name for launch in launches.values() for name in launch.environment})
    order = [(stack, name) for stack in measured.stacks for name in measured.variants(stack)]
    rows = [(name, *(launches[key].environment.get(name, "not set") for key in order)) for name in names]
    columns = ("variable", *(f"{stack} {variant}" for stack, variant in order))
    paragraph = "Every environment variable of a launch but PATH, HOME and TMPDIR, which the engine sets."
    told = f"{len(names)} variables"
    return Section("The environment of each variant", (paragraph,), (table(columns, rows),), summary=told)


def repeat_section(measured: Results) -> Section:
    """Return the section on how to repeat this run, and on where its raw samples are."""
    header = measured.header
    revision = header.kit.revision or "unknown (not run from a clone)"
    rows = [("kit", f"version {header.kit.version}, revision {revision}"), ("run", header.run),
            ("begun", header.created), ("seed", str(header.plan.seed)),
            ("workload sha256", header.workload_sha256)]  # fmt: skip
    for stack, entry in header.stacks.items():
        for name, made in entry.installations.items():
            rows += [(f"{stack}/{name}: {key}", present(value)) for key, value in sorted(made.said.items())]
    paragraphs = (
        "The command below, in a clone of the kit at that revision, repeats the run with the same order, seeds and "
        "locks. python -m runner repeat, with this folder, repeats it from its record alone and compares the two runs. "
        "A base image that the command names exists only on the host that ran it. On another host leave out "
        "--base-image, and the stacks' own base images are used, which are pinned by digest in images/stacks.toml.",
        "The raw samples, every step of every launch with its loss, are in records.jsonl beside this report. The jobs, "
        "results and logs of single launches are in launches/. If the run was packed to be kept, as the kit's own "
        "sample was, they are in launches.tar.xz.",
    )
    return Section(
        "Repeat it, doubt it", paragraphs, (table(("provenance", "value"), rows),), (header.command,),
        summary="the command, the revision, the seeds, the images or environments, and the raw samples",
    )  # fmt: skip


def _host_rows(measured: Results) -> dict[str, str]:
    machine, pin = measured.header.machine, measured.header.plan.pin
    platform, processor = machine.platform, machine.processor
    name, why = microarchitecture(processor)
    cores, sockets = len(machine.cores), len(machine.sockets)
    system = " ".join(text for text in (platform.vendor, platform.product) if text)
    kind = "virtual machine" if platform.virtual else "bare metal"
    memory = machine.memory_bytes
    titles = ", ".join(entry.title for entry in measured.header.stacks.values())
    return {
        "EC2 instance type": platform.instance_type or "none, or not known",
        "Platform": f"{kind}{f' ({system})' if system else ''}",
        "Sockets": str(sockets),
        "Processor": processor.model_name or "not known",
        "Microarchitecture": f"not known: {why}" if why else name,
        "Cores per socket": present(cores / sockets if cores % sockets else cores // sockets),
        "Memory": f"{memory / 1e9:.0f} GB" if memory else "not known",
        "Storage": "not measured; training data is synthetic and stays in memory",
        "Operating system": f"{present(platform.operating_system)}, kernel {present(platform.kernel_release)}",
        "TensorFlow": titles,
        "Instruction sets": present(list(processor.isa)),
        "Threads used": f"{pin.threads} (CPUs {pin.cpu_list}, memory nodes {pin.mem_list})",
    }


def _difference_table(stack: str, entry: RecordedStack, variants: list[str]) -> Table:
    chosen = [entry.variants[name] for name in variants]
    names = sorted({each.name for variant in chosen for each in variant.environment})
    wheels = [_wheel(entry, variant) for variant in chosen]
    rows = [("wheel", *wheels, COMPARED if len(set(wheels)) > 1 else "the same on all", "—")]
    added = [", ".join(entry.additions.get(variant.installation, ())) or "none" for variant in chosen]
    if len(set(added)) > 1:
        rows.append(("added packages", *added, COMPARED, "—"))
    if len({variant.arithmetic for variant in chosen}) > 1:
        rows.append(("arithmetic", *(variant.arithmetic for variant in chosen), COMPARED, "—"))
    for name in names:
        declared = [next((each for each in variant.environment if each.name == name), None) for variant in chosen]
        reasons = " ".join(dict.fromkeys(each.reason for each in declared if each))
        sources = ", ".join(dict.fromkeys(each.source for each in declared if each))
        rows.append((name, *(each.value if each else "not set" for each in declared), reasons, sources))
    if len({variant.layout for variant in chosen}) > 1:
        rows.append(("layout", *(variant.layout for variant in chosen), "see below", "—"))
    return table(("setting", *variants, "reason", "source"), rows, caption=f"{stack}: what differs")


def _choices_table(stack: str, entry: RecordedStack, variants: list[str]) -> Table:
    rows: list[tuple[str, ...]] = []
    for name in variants:
        variant = entry.variants[name]
        rows.append((name, "layout", variant.layout, variant.layout_reason, variant.layout_source))
        rows.append(
            (
                name,
                "threading",
                variant.threading,
                "the runtime that its kernels run on",
                variant.threading_source,
            )
        )
        rows += _held(name, entry, variant)
    return table(("variant", "choice", "value", "reason", "source"), rows, caption=f"{stack}: choices for each variant")


def _held(name: str, entry: RecordedStack, variant: Variant) -> list[tuple[str, ...]]:
    """Return a row on what the wheel contains of oneDNN, if stacks.toml says so; else nothing."""
    holds = entry.holds.get(variant.installation)
    source = entry.holds_source.get(variant.installation) or ""
    reason = "what its libraries contain, whether it is switched on or not"
    return [(name, "oneDNN (MKL-DNN) in the wheel", holds, reason, source)] if holds else []


def _wheel(entry: RecordedStack, variant: Variant) -> str:
    made = entry.installations.get(variant.installation)
    return (made.wheel if made else None) or variant.installation


def _bkm_table(measured: Results) -> Table:
    bkms = measured.header.plan.bkms
    threading = {
        f"{stack} {name}": entry.variants[name].threading
        for stack, entry in measured.header.stacks.items()
        for name in measured.variants(stack)
    }
    rows = []
    for setting in bkms.settings:
        readers = [name for name, kind in threading.items() if kind in setting.read_by]
        rows.append((setting.name, setting.value, ", ".join(readers) or "none", setting.reason, setting.source))
    columns = ("setting", "value on every variant", "read by", "reason", "source")
    return table(columns, rows, caption=f"Best-known methods: {bkms.name} ({bkms.title})")
