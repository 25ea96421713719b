"""Reads the verbose lines of oneDNN, which have three names: mkldnn_verbose (0.x), dnnl_verbose (1.x), onednn_verbose.

Formats: https://oneapi-src.github.io/oneDNN/dev_guide_verbose.html and, for 0.x, .../v0/perf_profile.html. This module
knows nothing of TensorFlow or of what the lines prove.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

# Other output may precede a verbose line on the same line, because several writers share the log.
_LINE = re.compile(r"\b(?P<name>mkldnn|dnnl|onednn)_verbose,(?P<rest>.+)$")
# Fields that newer versions put between prefix and event: a time stamp, the format's version, a component.
_EVENT = re.compile(r"^(?:[\d.]+,|v\d+,|primitive,|common,)*(?P<event>info|exec),(?P<fields>.+)$")
_NAMES = {"mkldnn": "MKL-DNN", "dnnl": "DNNL", "onednn": "oneDNN"}
_VERSION = re.compile(r"(?:MKL-DNN|DNNL|oneDNN) v(\d[\w.]*)")
_ISA_PHRASE = re.compile(r"^(?:cpu,isa:|Detected ISA is )")
_ENGINES = ("cpu", "gpu")
_REORDER = "reorder"
# Instruction sets from the newest to the oldest, as they appear in the names of implementations.
_ISA_NAMES = (
    "avx512_core_amx_fp16", "avx512_core_amx", "avx512_core_fp16", "avx512_core_bf16", "avx512_core_vnni",
    "avx512_core", "avx512_mic_4ops", "avx512_mic", "avx512_common", "avx2_vnni", "avx2", "avx", "sse41", "sse42",
)  # fmt: skip


@dataclass(frozen=True)
class Library:
    """The library as its first lines describe it; None for what its version does not print."""

    name: str
    version: str | None = None
    isa: str | None = None
    runtime: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Primitive:
    """How often primitives of one kind ran with one implementation, and how many milliseconds they took in all."""

    kind: str
    implementation: str
    count: int
    milliseconds: float


@dataclass(frozen=True)
class Verbose:
    """Everything that a log's verbose lines contain. `library` is None if the log has no such line.

    A process has further libraries of the same kind if it has a plug-in, for instance. The lines of primitives do not
    say in which one they ran.
    """

    library: Library | None
    primitives: tuple[Primitive, ...]
    further_libraries: tuple[Library, ...] = ()

    @property
    def libraries(self) -> tuple[Library, ...]:
        """Every library that printed a line, in the order of their first lines."""
        return (*([self.library] if self.library else []), *self.further_libraries)

    def count(self, kinds: Iterable[str]) -> int:
        """How often primitives of these kinds ran."""
        wanted = frozenset(kinds)
        return sum(primitive.count for primitive in self.primitives if primitive.kind in wanted)

    def reorders(self) -> dict[str, Any]:
        """Layout conversions: count, milliseconds, and their share of the time of all primitives (None without any)."""
        found = [primitive for primitive in self.primitives if primitive.kind == _REORDER]
        spent = sum(primitive.milliseconds for primitive in found)
        whole = sum(primitive.milliseconds for primitive in self.primitives)
        return {
            "count": sum(primitive.count for primitive in found),
            "milliseconds": round(spent, 3),
            "share": round(spent / whole, 4) if whole else None,
        }

    def to_json(self) -> dict[str, Any]:
        """Libraries, primitives (those with the most time first) and reorders, as evidence.jsonl keeps them."""
        return {
            "library": None if self.library is None else asdict(self.library),
            "further_libraries": [asdict(library) for library in self.further_libraries],
            "primitives": [asdict(primitive) for primitive in self.primitives],
            "reorders": self.reorders(),
        }


def parse_verbose(text: str) -> Verbose:
    """Read a log. Lines that are broken or of an unknown form are skipped."""
    libraries: list[Library] = []
    sums: dict[tuple[str, str], tuple[int, float]] = {}
    for line in text.splitlines():
        match = _LINE.search(line)
        event = _EVENT.match(match["rest"]) if match else None
        if match is None or event is None:
            continue
        if not libraries or _is_another(libraries[-1], event):
            libraries.append(Library(_NAMES[match["name"]]))
        if event["event"] == "info":
            libraries[-1] = _introduced(libraries[-1], event["fields"])
        else:
            _add(sums, event["fields"])
    primitives = sorted((Primitive(*key, count, round(spent, 4)) for key, (count, spent) in sums.items()),
                        key=lambda each: (-each.milliseconds, each.kind, each.implementation))  # fmt: skip
    if not libraries:
        return Verbose(None, tuple(primitives))
    first, *further = libraries
    if first.isa is None:
        first = replace(first, isa=_isa_of(primitives))
    return Verbose(first, tuple(primitives), tuple(further))


def _is_another(before: Library, event: re.Match[str]) -> bool:
    """Whether a line introduces another library than the one before: each states its version once."""
    return event["event"] == "info" and before.version is not None and _VERSION.search(event["fields"]) is not None


def _introduced(library: Library, fields: str) -> Library:
    version = _VERSION.search(fields)
    if version:
        library = replace(library, version=version[1])
        # Some versions 0.x name the instruction set in the same line. The name may contain commas.
        _, _, rest = fields.partition("),")
        return replace(library, isa=rest.strip()) if rest else library
    if fields.startswith(("cpu,isa:", "Detected ISA is ")):
        return replace(library, isa=_ISA_PHRASE.sub("", fields).strip())
    if fields.startswith("cpu,runtime:"):
        runtime, _, threads = fields.partition(":")[2].partition(",nthr:")
        return replace(library, runtime=runtime.strip(), threads=int(threads) if threads.isdecimal() else None)
    return library


def _add(sums: dict[tuple[str, str], tuple[int, float]], fields: str) -> None:
    """Count one execution: [engine,]kind,implementation,...,milliseconds."""
    values = fields.split(",")
    if values[0] in _ENGINES:
        values = values[1:]
    try:
        kind, implementation, spent = values[0], values[1], float(values[-1])
    except (IndexError, ValueError):
        return  # the line was broken by another writer
    count, so_far = sums.get((kind, implementation), (0, 0.0))
    sums[kind, implementation] = (count + 1, so_far + spent)


def _isa_of(primitives: Iterable[Primitive]) -> str | None:
    """The newest instruction set among the implementations' names (jit:avx512_common, gemm:avx2)."""
    words = {word for primitive in primitives for word in re.split(r"[:+]", primitive.implementation)}
    newest = next((name for name in _ISA_NAMES if any(word.endswith(name) for word in words)), None)
    return None if newest is None else f"{newest} (from the implementations' names)"
