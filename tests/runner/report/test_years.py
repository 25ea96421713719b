"""The second figure: speedups over the years."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.cli import main
from runner.stats.results import Role, results_of
from runner.storage.runs import load
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only

COMPARE = ["compare", "--topologies", "alexnet,vgg16", "--variants", "stock,intel", "--blocks", "2", "--out", "run"]


def test_a_run_of_several_stacks_draws_the_years_in_their_order(in_folder: Path) -> None:
    """One row a topology, one column a release and each way in which it has Intel's kernels."""
    assert main([*COMPARE, "--stack", "tf-2.14,tf-1.12"], only(FakeEngine())) == 0
    report = Path("run/report.md").read_text()
    assert "| topology | batch size | tf-1.12 (2018-11), Intel's build | tf-2.14 (2023-09), Intel's build |" in report
    assert "| AlexNet | 4 | 4.00x [4.00, 4.00] | 4.00x [4.00, 4.00] |" in report
    assert Path("run/years.png").stat().st_size > 10_000


def test_a_run_of_one_stack_has_no_such_figure(in_folder: Path) -> None:
    assert main(COMPARE, only(FakeEngine())) == 0
    assert not Path("run/years.svg").exists()
    assert "2018 to today" not in Path("run/report.md").read_text()


def test_a_release_without_a_vendors_build_shows_what_onednn_in_stock_gains(in_folder: Path) -> None:
    compare = ["compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run"]
    assert main([*compare, "--stack", "tf-1.12,tf-2.14,tf-2.21"], only(FakeEngine())) == 0
    (header,) = (line for line in Path("run/report.md").read_text().splitlines() if "tf-2.21 (2026-03)" in line)
    assert header.rstrip("| ").split(" | ")[2:] == [
        "tf-1.12 (2018-11), Intel's build",
        "tf-2.14 (2023-09), Intel's build",
        "tf-2.14 (2023-09), oneDNN in stock",
        "tf-2.21 (2026-03), oneDNN in stock",
    ]


def test_the_baseline_itself_is_no_gain_of_onednn(in_folder: Path) -> None:
    """Where stock with oneDNN on is what the others are divided by, nothing was switched on."""
    assert main([*COMPARE[:3], "--variants", "stock-onednn,intel", *COMPARE[5:]], only(FakeEngine())) == 0
    assert results_of(load(Path("run"))).candidate("tf-2.14", Role.SWITCHED_ON) is None


def _load_the_plug_in(launch: Launch, result: dict[str, Any]) -> None:
    if launch.cell.variant == "itex":
        path = "/lib/tensorflow-plugins/libitex_cpu.so"
        result["evidence"]["mapped_libraries"] = [{"name": Path(path).name, "path": path}]


def test_a_plug_in_is_a_point_of_its_release(in_folder: Path) -> None:
    """It adds to stock, and is neither a vendor's build nor stock with oneDNN switched on."""
    engine = FakeEngine()
    engine.before_result = _load_the_plug_in
    compare = ["compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run", "--no-probe"]
    assert main([*compare, "--stack", "tf-1.12,tf-2.14-itex"], only(engine)) == 0
    (header,) = (line for line in Path("run/report.md").read_text().splitlines() if "tf-2.14-itex (2023-09)" in line)
    assert header.rstrip("| ").split(" | ")[3:] == [
        "tf-2.14-itex (2023-09), a vendor's plug-in",
        "tf-2.14-itex (2023-09), oneDNN in stock",
    ]
    found = results_of(load(Path("run")))
    roles = [found.role("tf-2.14-itex", variant) for variant in found.variants("tf-2.14-itex")]
    assert roles == [Role.BASELINE, Role.SWITCHED_ON, Role.PLUG_IN]
