"""Tables into frozen dataclasses: nothing is taken for something else, and every fault is told with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from runner.errors import RunFormatError, UsageError
from runner.support.structure import GIVEN, OneOf, strict_converter, structure, written_by_people


@dataclass(frozen=True)
class Wheel:
    """A table that has its name from the key it stands under."""

    name: str = field(metadata=GIVEN)
    inches: int
    side: Annotated[str, OneOf("side", ("left", "right"))] = "left"


@dataclass(frozen=True)
class Spoke:
    """A table in a list, which may have an id."""

    id: str = ""
    length: float = 1.0


@dataclass(frozen=True)
class Bicycle:
    """A whole file."""

    maker: str
    wheels: Mapping[str, Wheel]
    spokes: tuple[Spoke, ...] = ()
    colours: tuple[str, ...] = ()
    kind: Literal["race", "town"] = "town"
    lights: bool = True
    gears: int | None = None


GOOD: dict[str, Any] = {"maker": "m", "wheels": {"front": {"inches": 28}}}


def read(**changes: Any) -> Bicycle:
    """A file with changes, as a person may have written it; a change to None takes the key out."""
    data = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return structure(data, Bicycle, "b.toml", written_by_people())


def test_a_table_has_its_name_from_its_key() -> None:
    """Nested tables, lists and defaults beside it."""
    found = read(spokes=[{"id": "a"}, {"length": 2}], colours=["red"], gears=3)
    assert found.wheels == {"front": Wheel("front", 28)}
    assert (found.spokes, found.colours, found.gears) == ((Spoke("a"), Spoke(length=2)), ("red",), 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maker": None}, "b.toml lacks maker."),
        ({"maker": 5}, "b.toml, maker is 5; a text in quotation marks was expected."),
        ({"maker": None, "makr": "m"}, "b.toml lacks maker. b.toml has the unknown key makr. Did you mean maker?"),
        ({"lights": 1}, "b.toml, lights is 1; true or false was expected."),
        ({"gears": True}, "b.toml, gears is True; a whole number was expected."),
        ({"gears": 3.0}, "b.toml, gears is 3.0; a whole number was expected."),
        ({"kind": "rase"}, "b.toml, kind: There is no value 'rase'. Did you mean race? Known: race, town."),
        ({"wheels": []}, "b.toml, wheels is []; a table was expected."),
        ({"wheels": {"front": 28}}, "b.toml, wheels.front is 28; a table was expected."),
        ({"wheels": {"front": {}}}, "b.toml, wheels.front lacks inches."),
        ({"wheels": {"front": {"inches": 28, "side": "rigth"}}}, "b.toml, wheels.front.side: There is no side"),
        ({"wheels": {"front": {"inches": 28, "side": 1}}}, "b.toml, wheels.front.side is 1; a text"),
        (
            {"wheels": {"front": {"inches": 28, "name": "f"}}},
            "b.toml, wheels.front has the unknown key name. Known keys: inches, side.",
        ),
        ({"colours": "red"}, "b.toml, colours is 'red'; a list of texts was expected."),
        ({"colours": ["red", 5]}, "b.toml, colours[2] is 5; a text in quotation marks was expected."),
        ({"spokes": {}}, "b.toml, spokes is {}; a list of tables was expected."),
        ({"spokes": [{}, {"length": "1"}]}, "b.toml, spokes[2].length is '1'; a number was expected."),
        ({"spokes": [{}, {"id": "b", "length": "1"}]}, "b.toml, spokes.b.length is '1'; a number was expected."),
    ],
)
def test_a_fault_is_told_with_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        read(**changes)
    assert str(error.value).startswith(message)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(UsageError) as error:
        read(maker=5, lights="yes", wheels={"front": {"inches": 28}, "back": {}})
    assert str(error.value).split(". ") == [
        "b.toml, maker is 5; a text in quotation marks was expected",
        "b.toml, wheels.back lacks inches",
        "b.toml, lights is 'yes'; true or false was expected.",
    ]


def test_data_that_is_no_table_is_refused_as_a_whole() -> None:
    with pytest.raises(UsageError, match=r"^b\.toml is 3; a table was expected\.$"):
        structure(3, Bicycle, "b.toml", written_by_people())


def test_what_another_version_wrote_may_have_more_in_it_and_other_words() -> None:
    """Names stand in its tables; its own kind of failure is raised."""
    lenient = strict_converter(refuses_unknown=False)
    data = {**GOOD, "bell": 1, "wheels": {"front": {"name": "front", "inches": 28, "side": "upper"}}}
    assert structure(data, Bicycle, "b.json", lenient).wheels["front"] == Wheel("front", 28, "upper")
    with pytest.raises(RunFormatError, match=r"b\.json lacks maker"):
        structure({"wheels": {}}, Bicycle, "b.json", lenient, RunFormatError)
