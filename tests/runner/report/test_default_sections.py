"""What a report says of a plain installation: as observed, with what the switch gained; or that it was not observed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runner.cli import main
from tests.runner.fake_engine import SECONDS, FakeEngine, only
from tests.runner.told import tells

COMMAND = ("compare", "--preset", "figure1", "--topologies", "resnet50,vgg16", "--blocks", "2", "--out", "run")
SWITCH = "TF_ENABLE_ONEDNN_OPTS=1"
PLAIN_OFF, PLAIN_ON = "oneDNN off (as a plain", "oneDNN on (as a plain"


def report_of(engine: FakeEngine, *more: str) -> str:
    """The report of a comparison."""
    assert main([*COMMAND, *more], only(engine)) == 0
    return Path("run/report.md").read_text()


def advice_in(text: str) -> str:
    """The first screen's sentence on a plain installation; empty for none."""
    top = text.partition("\n- ")[0]
    return next((line for line in top.splitlines() if ": here a plain" in line), "")


def says_not_observed(text: str) -> bool:
    """Whether the top of a report says that nobody looked, and how to look."""
    top = text.partition("\n## ")[0]
    return any(tells(line, "not observed", "tf-2.14", "`python -m runner probe RUN`") for line in top.splitlines())


def test_where_it_is_off_the_first_advice_is_to_switch_it_on(in_folder: Path) -> None:
    """The advice tells what switching it on gained on this host.

    The bar's name says that a plain installation gives it.
    """
    text = report_of(FakeEngine())
    found = advice_in(text)
    assert tells(found, "`pip install tensorflow-cpu==2.14.0`", "oneDNN off", "probe", "TF_ENABLE_ONEDNN_OPTS")
    assert tells(found.partition(SWITCH)[2], "2.00x", "batch size 32", "95%", "faster on 2 of 2")
    assert not says_not_observed(text)
    figure = Path("run/figure1.svg").read_text()
    assert (PLAIN_OFF in figure, PLAIN_ON in figure) == (True, False)


def test_where_it_is_on_nothing_is_advised_and_the_other_bar_has_the_name(in_folder: Path) -> None:
    """The variable is not set here either, and the build says that oneDNN is on."""
    text = report_of(FakeEngine(onednn_by_default=True))
    assert tells(advice_in(text), "`pip install tensorflow-cpu==2.14.0`", "oneDNN on", "probe")
    assert SWITCH not in advice_in(text)
    figure = Path("run/figure1.svg").read_text()
    assert (PLAIN_OFF in figure, PLAIN_ON in figure) == (False, True)


@pytest.mark.parametrize(("variants", "is_open"), [("stock,intel", True), ("stock,stock-onednn,intel", False)])
def test_what_is_gained_over_a_plain_installation_is_open_where_it_was_not_compared(
    in_folder: Path, variants: str, is_open: bool
) -> None:
    """A speedup over oneDNN off is not what a reader gains whose installation has it on."""
    text = report_of(FakeEngine(onednn_by_default=True), "--variants", variants)
    (line,) = [line for line in text.splitlines() if line.startswith("**Not proven:**")]
    assert tells(line, "plain installation of TensorFlow 2.14", "oneDNN on here and was not measured") == is_open


@pytest.mark.parametrize("default", [True, False])
def test_where_it_was_not_observed_nothing_is_claimed(in_folder: Path, default: bool) -> None:
    """Without probes the report says so, whatever the host would have done."""
    text = report_of(FakeEngine(onednn_by_default=default), "--no-probe")
    assert says_not_observed(text)
    assert (PLAIN_OFF in text, PLAIN_ON in text) == (False, False)
    assert ": here a plain `pip install" not in text


def test_a_probe_whose_signs_contradict_observes_nothing(in_folder: Path) -> None:
    """TensorFlow says one thing of oneDNN, and the primitives that ran say another."""
    text = report_of(FakeEngine(logs={"plain-install": "onednn_verbose,exec,cpu,convolution,jit:avx2,f,,,a,mb2,1\n"}))
    assert says_not_observed(text)


@pytest.mark.parametrize(
    ("seconds", "mean"),
    [({"stock-onednn": 1.0}, "1.00x"), ({"stock-onednn": 2.0}, "0.500x")],
)
def test_a_switch_that_gains_nothing_is_not_advised(in_folder: Path, seconds: Mapping[str, float], mean: str) -> None:
    found = advice_in(report_of(FakeEngine(seconds={**SECONDS, **seconds}))).partition(SWITCH)[2]
    assert tells(found, "faster on 0 of 2", "batch size 32", mean)
    assert "gained" not in found


def test_what_was_not_measured_is_not_known(in_folder: Path) -> None:
    text = report_of(FakeEngine(), "--variants", "stock,intel")
    assert tells(advice_in(text), "oneDNN off", SWITCH, "not measured")


def test_no_report_says_what_recent_cpus_run(finished_run: Callable[..., Path], in_folder: Path) -> None:
    """Which CPUs have it on by themselves is named, and a run of before is drawn without the old words."""
    finished_run("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run")
    header = json.loads(Path("run/run.json").read_text())
    variant = header["stacks"]["tf-2.14"]["variants"]["stock-onednn"]
    variant["label"] = "stock, oneDNN on (as shipped on recent CPUs)"
    variant["environment"][0]["reason"] = (
        "What a user of a recent CPU has today without doing anything; switched on by name so that older CPUs measure "
        "the same thing."
    )
    header["notes"] = [
        "The preset quick leaves out stock with oneDNN on, which is what a recent CPU runs today: figure1 and full "
        "draw it as a third bar."
    ]
    Path("run/run.json").write_text(json.dumps(header))
    assert main(["report", "run"]) == 0
    for name in ("report.md", "report.html", "figure1.svg"):
        assert not re.search("recent CPU", Path("run", name).read_text())
    assert "AVX512_VNNI, AVX512_BF16, AVX_VNNI or AMX" in Path("run/report.md").read_text()
