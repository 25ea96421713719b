"""Turns the data of TOML and JSON files into frozen dataclasses, with cattrs. Errors name the place in the file.

No value is converted: a number is not accepted as a text, nor a text as a number. Knows no file's meaning.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import GenericAlias
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError, IterableValidationError
from cattrs.cols import is_mapping, list_structure_factory, mapping_structure_factory
from cattrs.errors import AttributeValidationNote, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from runner.errors import KitError, UsageError
from runner.vocabulary import one_of

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

# Metadata of a field that people do not write in the file, because it follows from the place of the table: from its
# key, or from the table around it. Where such a class is the value of a mapping, its field `name` is set to the key.
GIVEN: Mapping[str, bool] = {"given": True}


@dataclass(frozen=True)
class OneOf:
    """Annotates a text that must be one of `choices`. A message calls it `what`."""

    what: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """Wraps the value of a field with the metadata GIVEN, so that it differs from a value that the file holds."""

    value: Any


class UnexpectedValueError(Exception):
    """A value is of another kind than the one that `expected` describes."""

    def __init__(self, value: Any, expected: str) -> None:
        super().__init__(f"{value!r}; {expected} was expected")


def strict_converter(*, refuses_unknown: bool) -> Converter:
    """Make a converter that either refuses unknown keys or ignores them.

    A converter that refuses them is for files that people write. It also checks that each text that is annotated with
    OneOf is one of the choices. A converter that ignores them is for files that another version of the kit may have
    written.
    """
    made = Converter(forbid_extra_keys=refuses_unknown, detailed_validation=True)
    for kind, (accepted, expected) in _SCALARS.items():
        made.register_structure_hook(kind, scalar(accepted, expected))
    made.register_structure_hook_func(_is_literal, _literal)
    made.register_structure_hook_factory(_is_homogeneous_tuple, _tuple_factory)
    made.register_structure_hook_factory(is_mapping, _mapping_factory)
    made.register_structure_hook_factory(is_dataclass, class_hook)
    if refuses_unknown:
        made.register_structure_hook_func(lambda kind: _choices(kind) is not None, _one_of)
    return made


def written_by_people() -> Converter:
    """Make a converter for files that people write. The caller may register further hooks with it."""
    return strict_converter(refuses_unknown=True)


def structure(data: Any, kind: type[T], where: str, converter: Converter, failure: type[KitError] = UsageError) -> T:
    """Turn data that was read from `where` into an object of the class `kind`.

    Raises:
        KitError: of the class `failure`, if the data lacks a key, has an unknown key, or has a value of another kind.
            The message has a sentence for each such place. It names an item of a list by its id if it has one, else by
            its number, counted from 1.
    """
    try:
        return converter.structure(data, kind)
    except Exception as error:
        raise failure(" ".join(f"{problem.rstrip('.')}." for problem in _problems(error, where, "", data))) from error


def scalar(accepted: tuple[type, ...], expected: str) -> Hook:
    """A hook that accepts values of exactly these types; a message says that `expected` was expected."""

    def check(value: Any, _kind: Any) -> Any:
        if type(value) not in accepted:
            raise UnexpectedValueError(value, expected)
        return value

    return check


_TEXT = "a text in quotation marks"
_NUMBER = "a whole number"
_SCALARS: Mapping[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), _TEXT),
    int: ((int,), _NUMBER),
    float: ((float, int), "a number"),
    bool: ((bool,), "true or false"),
}
_LISTS: Mapping[Any, str] = {str: "a list of texts", int: "a list of whole numbers"}


def class_hook(kind: Any, converter: Converter, **overrides: Any) -> Hook:
    """A hook that turns a table into a dataclass; `overrides` are those of cattrs, by field."""
    hints = get_type_hints(kind, include_extras=True)
    for each in fields(kind):
        each.type = hints[each.name]  # cattrs itself would drop the annotations of a type that is written as text
    inside = make_dict_structure_fn(kind, converter, **overrides)
    given = _given(kind) if converter.forbid_extra_keys else ()

    def check(value: Any, _kind: Any) -> Any:
        if not isinstance(value, Mapping):
            raise UnexpectedValueError(value, "a table")
        if not given:
            return inside(value, kind)
        written = {name for name in given if name in value and not isinstance(value[name], Given)}
        if written:
            raise ForbiddenExtraKeysError(None, kind, written)
        return inside({key: each.value if isinstance(each, Given) else each for key, each in value.items()}, kind)

    return check


def _given(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if each.metadata.get("given"))


def _tuple_factory(kind: Any, converter: Converter) -> Hook:
    element = get_args(kind)[0]
    as_list: Any = GenericAlias(list, (element,))
    inside = list_structure_factory(as_list, converter)
    expected = "a list of tables" if is_dataclass(element) else _LISTS.get(element, "a list")

    def check(value: Any, _kind: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise UnexpectedValueError(value, expected)
        return tuple(inside(value, as_list))

    return check


def _mapping_factory(kind: Any, converter: Converter) -> Hook:
    inside = mapping_structure_factory(kind, converter, dict)
    element = (*get_args(kind), Any)[1]
    is_named = converter.forbid_extra_keys and is_dataclass(element) and "name" in _given(element)

    def check(value: Any, _kind: Any) -> Any:
        if not isinstance(value, Mapping):
            raise UnexpectedValueError(value, "a table")
        return inside({name: _named(name, each) for name, each in value.items()} if is_named else value, kind)

    return check


def _named(name: str, table: Any) -> Any:
    return {"name": Given(name), **table} if isinstance(table, Mapping) else table


def _is_homogeneous_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,)


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _literal(value: Any, kind: Any) -> Any:
    return _held_to("value", value, get_args(kind))


def _choices(kind: Any) -> OneOf | None:
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, OneOf)), None)


def _one_of(value: Any, kind: Any) -> str:
    choices = _choices(kind)
    assert choices is not None
    return _held_to(choices.what, value, choices.choices)


def _held_to(what: str, value: Any, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise UnexpectedValueError(value, _TEXT)
    return one_of(what, value, choices)


def _problems(error: BaseException, where: str, path: str, data: Any) -> Iterator[str]:
    """One sentence for each fault, with its place."""
    place = f"{where}, {path}" if path else where
    if isinstance(error, ClassValidationError | IterableValidationError):
        noted, others = error.group_exceptions()
        lacking = [str(_key(note)) for each, note in noted if _is_missing(each, error)]
        if lacking:
            yield f"{place} lacks {', '.join(lacking)}"
        for each, note in noted:
            if not _is_missing(each, error):
                key = _key(note)
                yield from _problems(each, where, _below(path, key, data), _at(data, key))
        for each in others:
            yield from _problems(each, where, path, data)
    elif isinstance(error, ForbiddenExtraKeysError):
        yield _unknown(place, error)
    elif isinstance(error, UnexpectedValueError):
        yield f"{place} is {error}"
    else:
        yield f"{place}: {error}"


def _key(note: AttributeValidationNote | IterableValidationNote) -> str | int:
    return note.name if isinstance(note, AttributeValidationNote) else note.index


def _is_missing(error: BaseException, inside: BaseException) -> bool:
    return isinstance(error, KeyError) and isinstance(inside, ClassValidationError)


def _unknown(place: str, error: ForbiddenExtraKeysError) -> str:
    known = [each.name for each in fields(error.cl) if each.name not in _given(error.cl)]
    names = sorted(error.extra_fields)
    near = dict.fromkeys(name for each in names for name in difflib.get_close_matches(each, known, n=1))
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"{place} has the unknown key {', '.join(names)}.{hint} Known keys: {', '.join(known)}"


def _below(path: str, key: str | int, data: Any) -> str:
    if isinstance(key, int):
        item = _at(data, key)
        name = item.get("id") if isinstance(item, Mapping) else None
        if not isinstance(name, str):
            return f"{path}[{key + 1}]"
        key = name
    return f"{path}.{key}" if path else key


def _at(data: Any, key: str | int) -> Any:
    """The value under a key or at a position; None if there is none."""
    try:
        return data[key]
    except (KeyError, IndexError, TypeError):
        return None
