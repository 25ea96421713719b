"""What a report says of a plain installation: as observed, with what the switch gained; or that it was not observed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runner.cli import main
from tests.runner.fake_engine import SECONDS, FakeEngine, only

COMMAND = ("compare", "--preset", "figure1", "--topologies", "resnet50,vgg16", "--blocks", "2", "--out", "run")
GAIN = "Switching it on (TF_ENABLE_ONEDNN_OPTS=1)"
NOT_OBSERVED = "Whether a plain `pip install` has oneDNN on here was not observed on tf-2.14"


def report_of(engine: FakeEngine, *more: str) -> str:
    """The report of a comparison."""
    assert main([*COMMAND, *more], only(engine)) == 0
    return Path("run/report.md").read_text()


def first_finding(text: str) -> str:
    """The sentence that stands above all others."""
    return next(line for line in text.splitlines() if line.startswith("- "))


def test_where_it_is_off_the_first_advice_is_to_switch_it_on(in_folder: Path) -> None:
    """With what that gained on this host; the bar that a plain installation is has that in its name."""
    text = report_of(FakeEngine())
    found = first_finding(text)
    assert found.startswith(
        "- TensorFlow 2.14 (2023-09): here a plain `pip install tensorflow-cpu==2.14.0` has oneDNN off (observed by a "
        "probe with TF_ENABLE_ONEDNN_OPTS not set). "
        f"{GAIN} gained 2.00x ["
    )
    assert found.endswith(
        "] here at batch size 32 (geometric mean, 95% for this mean alone; faster on 2 of 2 topologies)."
    )
    assert NOT_OBSERVED not in text
    figure = Path("run/figure1.svg").read_text()
    assert "stock, oneDNN off (as a plain pip install has it here)" in figure
    assert "stock, oneDNN on (as a plain" not in figure


def test_where_it_is_on_nothing_is_advised_and_the_other_bar_has_the_name(in_folder: Path) -> None:
    """The same variable unset, on a host where the build says that oneDNN is on."""
    text = report_of(FakeEngine(onednn_by_default=True))
    assert "has oneDNN on (observed by a probe" in first_finding(text)
    assert GAIN not in text
    figure = Path("run/figure1.svg").read_text()
    assert "stock, oneDNN on (as a plain pip install has it here)" in figure
    assert "stock, oneDNN off (as a plain" not in figure


@pytest.mark.parametrize("default", [True, False])
def test_where_it_was_not_observed_nothing_is_claimed(in_folder: Path, default: bool) -> None:
    """Without probes the report says so, whatever the host would have done."""
    text = report_of(FakeEngine(onednn_by_default=default), "--no-probe")
    assert NOT_OBSERVED in text.partition("\n## ")[0], "it is told before the figure"
    assert "(as a plain pip install has it here)" not in text
    assert " against " in first_finding(text)


def test_a_probe_whose_signs_contradict_observes_nothing(in_folder: Path) -> None:
    """TensorFlow's word against the primitives."""
    text = report_of(FakeEngine(logs={"plain-install": "onednn_verbose,exec,cpu,convolution,jit:avx2,f,,,a,mb2,1\n"}))
    assert NOT_OBSERVED in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ({"stock-onednn": 1.0}, f"{GAIN} was faster on 0 of 2 topologies at batch size 32; geometric mean 1.00x ["),
        ({"stock-onednn": 2.0}, f"{GAIN} was faster on 0 of 2 topologies at batch size 32; geometric mean 0.500x ["),
    ],
)
def test_a_switch_that_gains_nothing_is_not_advised(in_folder: Path, seconds: Mapping[str, float], words: str) -> None:
    """The verdict is told as it is."""
    assert words in first_finding(report_of(FakeEngine(seconds={**SECONDS, **seconds})))


def test_what_was_not_measured_is_not_known(in_folder: Path) -> None:
    """A run without the third bar says what is off, and that its gain was not measured."""
    text = report_of(FakeEngine(), "--variants", "stock,intel")
    assert first_finding(text).endswith("What TF_ENABLE_ONEDNN_OPTS=1 would gain was not measured in this run.")


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
    assert "which some CPUs have on without being asked" in Path("run/report.md").read_text()
    assert "AVX512_VNNI, AVX512_BF16, AVX_VNNI or AMX" in Path("run/report.md").read_text()
