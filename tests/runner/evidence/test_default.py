"""What a plain installation does with oneDNN: from a probe, from launches without the switch, or not known."""

from __future__ import annotations

import dataclasses

import pytest

from runner.evidence.cell_plan import ONEDNN_SWITCH
from runner.evidence.default import Default, observed_defaults, plain_install_plan
from runner.evidence.probed import Evidence, Subject
from runner.storage.records import Record
from tests.runner.evidence.captured import captured, cell_plan, evidence

PLAIN_PROBE = Subject("tf-2.14", "plain-install", "googlenet")


def probe(name: str) -> dict[Subject, Evidence]:
    """The evidence of a probe that leaves the switch out, from a real log."""
    return {PLAIN_PROBE: evidence(name, environment={})}


def record(name: str, environment: dict[str, str]) -> Record:
    """A record of a real launch with this environment."""
    stack, variant = name[: len("tf-0.00")], name[len("tf-0.00-") :]
    case = {"stack": stack, "variant": variant, "topology": "googlenet", "batch_size": 2, "installation": "stock",
            "block": 1, "position": 1}  # fmt: skip
    settings = {"environment": environment}
    return Record(name, 1, case, {}, settings, {}, captured(name).result, None)


@pytest.mark.parametrize(("name", "is_on"), [("tf-2.14-plain-install", False), ("tf-2.14-stock-onednn", True)])
def test_a_probe_that_leaves_the_switch_out_tells_the_default(name: str, is_on: bool) -> None:
    """Off on the Zen 3 host; on where the log is that of oneDNN."""
    assert observed_defaults(probe(name), []) == {"tf-2.14": Default(is_on, "a probe")}


def test_launches_without_the_switch_tell_it_where_no_probe_does() -> None:
    """A ladder's first rung says nothing of oneDNN, and TensorFlow says what it did."""
    said = [record("tf-2.14-plain-install", {}), record("tf-2.14-plain-install", {})]
    assert observed_defaults({}, said) == {"tf-2.14": Default(is_on=False, said_by="2 launches")}
    assert observed_defaults({}, [*said, record("tf-2.14-stock-onednn", {})]) == {}


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("tf-2.14-stock", {ONEDNN_SWITCH: "0"}),
        ("tf-2.14-stock-onednn", {ONEDNN_SWITCH: "1"}),
        ("tf-2.14-intel", {}),
        ("tf-1.15-stock", {}),
        ("tf-1.12-stock", {}),
    ],
)
def test_what_was_switched_or_has_no_default_tells_nothing(name: str, environment: dict[str, str]) -> None:
    """This covers a build with its switch set, Intel's build, and releases before 2.5."""
    assert observed_defaults({}, [record(name, environment)]) == {}
    assert observed_defaults({PLAIN_PROBE: evidence(name)}, []) == {}


def test_a_build_is_asked_plainly_only_if_it_can_decide() -> None:
    """The switch is left out, all else stays, and it is judged as no baseline."""
    stock = cell_plan("tf-2.14-stock")
    plainly = plain_install_plan(stock)
    assert plainly is not None
    assert plainly.kernels == "either"
    kept = {name: value for name, value in stock.environment.items() if name != ONEDNN_SWITCH}
    assert plainly == dataclasses.replace(stock, is_baseline=False, environment=kept)
    for name in ("tf-1.12-stock", "tf-1.15-stock", "tf-2.14-intel"):
        assert plain_install_plan(cell_plan(name)) is None
