"""Compares the conditions of records. Two records are divided only if these are equal (rule 9 of CONTRIBUTING.md).

A refusal names the conditions that differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from runner.storage.records import Record


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested conditions under dotted names, such as machine.microcode and pin.cpus."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def differing_conditions(records: Iterable[Record]) -> dict[str, list[Any]]:
    """Return the conditions that are not the same in all records, with the values found, in order of appearance.

    A condition that some records lack has "absent" among its values. Records with an error do not count, because
    nothing is divided by them.
    """
    values: dict[str, list[Any]] = {}
    names: dict[str, int] = {}
    usable = [record for record in records if record.error is None]
    for record in usable:
        for name, value in flatten(record.conditions):
            names[name] = names.get(name, 0) + 1
            seen = values.setdefault(name, [])
            if value not in seen:
                seen.append(value)
    for name, count in names.items():
        if count < len(usable):
            values[name].append("absent")
    return {name: seen for name, seen in values.items() if len(seen) > 1}


def why_not_comparable(records: Iterable[Record], declared: Collection[str] = ()) -> str | None:
    """Return why these records must not be divided by one another; None if they may be.

    `declared` names conditions, or groups of them (`pin`), that may differ, because the difference is what is compared
    (the rungs of a ladder). All other conditions must be equal.
    """
    differing = {
        name: values
        for name, values in differing_conditions(records).items()
        if not any(name == each or name.startswith(f"{each}.") for each in declared)
    }
    if not differing:
        return None
    parts = [f"{name} ({' / '.join(str(value) for value in values)})" for name, values in differing.items()]
    return f"conditions differ: {', '.join(parts)}"
