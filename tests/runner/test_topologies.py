"""The built-in topologies: read from their modules, and a new one known everywhere by one new file alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.topologies import FOLDER, read_topologies
from runner.vocabulary import ARTICLE_TOPOLOGIES, TOPOLOGIES

ROOT = FOLDER.parents[2]
NEW = '''
"""A small network."""

from typing import Any

from workload.layers import Network

TITLE = "TinyNet"
IMAGE_SIZE = 32
BATCH_NORMALISED = True
DISJOINT_BRANCHES = 3
TRAINING_GFLOPS = 0.1
FIXED_MEMORY_GB = 1.0
MEMORY_GB_PER_IMAGE = 0.1


def add_layers(network: Network, images: Any) -> Any:
    """Return (batch, 3072)."""
    return network.flatten(images, "flatten")
'''


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit with one more file and no other change: images/workload/topologies/tiny_net.py."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("runner", "images"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "images" / "workload" / "topologies" / "tiny_net.py").write_text(NEW, encoding="utf-8")
    return folder


def python(clone: Path, *arguments: str) -> str:
    """Run the interpreter in the copy, with the copy's packages; return what it prints."""
    path = f"{clone}{os.pathsep}{clone / 'images'}"
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "KIT_CACHE": str(clone / "cache")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=clone, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def evaluated(clone: Path, imports: str, expression: str) -> Any:
    """The value of an expression in the copy; it must be one that JSON holds."""
    return json.loads(python(clone, "-c", f"import json\n{imports}\nprint(json.dumps({expression}))"))


def test_the_articles_topologies_come_first() -> None:
    """In the order of its Figure 1; then the others by name. Seeded plans begin at this order."""
    assert ARTICLE_TOPOLOGIES == ("inception3", "resnet50", "resnet152", "vgg16")
    assert TOPOLOGIES == (*ARTICLE_TOPOLOGIES, *sorted(set(TOPOLOGIES) - set(ARTICLE_TOPOLOGIES)))  # noqa: SIM300


def test_a_new_topology_is_planned(clone: Path) -> None:
    """`--topologies` knows its name, and every launch of the plan is of it."""
    plan = json.loads(python(clone, "-m", "runner", "plan", "--topologies", "tiny_net", "--batch-sizes", "2", "--json"))
    assert {launch["topology"] for launch in plan["launches"]} == {"tiny_net"}


def test_a_plan_in_words_has_the_new_topologys_branches(clone: Path) -> None:
    """They are those that the module declares."""
    words = python(clone, "-m", "runner", "plan", "--topologies", "tiny_net", "--batch-sizes", "2")
    assert "3 disjoint branches" in words


def test_reports_know_the_new_topologys_title_and_place(clone: Path) -> None:
    """It stands with those that the article's Figure 1 does not show, by its name."""
    imports = "from runner.support.wording import topology_title\nfrom runner.vocabulary import TOPOLOGIES"
    title, names = evaluated(clone, imports, "[topology_title('tiny_net'), TOPOLOGIES]")
    assert title == "TinyNet"
    assert names == [*ARTICLE_TOPOLOGIES, *sorted({*TOPOLOGIES, "tiny_net"} - set(ARTICLE_TOPOLOGIES))]


def test_checks_and_estimates_know_the_new_topology(clone: Path) -> None:
    """Its losses are judged as those of a normalised network, and its cost is its own."""
    imports = "from runner.checks.losses import NORMALISED\nfrom runner.storage.remaining import TRAINING_GFLOPS"
    assert evaluated(clone, imports, "['tiny_net' in NORMALISED, TRAINING_GFLOPS['tiny_net']]") == [True, 0.1]


def test_the_workload_accepts_a_job_for_the_new_topology_and_builds_it(clone: Path) -> None:
    """Validation and the function that adds the layers."""
    job = {
        "schema_version": 1, "launch_id": "one", "kind": "describe", "topology": "tiny_net", "batch_size": 2,
        "layout": "NHWC", "time_limit_seconds": None, "intra_op_threads": 1, "inter_op_threads": 1,
    }  # fmt: skip
    imports = f"from workload.job import validate_job\nfrom workload.topologies import TOPOLOGIES\njob = {job}"
    expression = "[TOPOLOGIES[validate_job(job).topology].image_size, TOPOLOGIES['tiny_net'].add_layers.__module__]"
    assert evaluated(clone, imports, expression) == [32, "workload.topologies.tiny_net"]


def test_the_new_file_goes_into_images_and_into_the_workloads_hash(clone: Path) -> None:
    """Runner and workload agree on the hash, which is no longer the one without the file."""
    imports = (
        "from runner.catalogue import workload_files\nfrom workload import wheel\n"
        "from runner.catalogue.stacks import load_stacks\nfrom runner.engines.docker_images import build_context\n"
        "from runner.support.network import PackageIndex\nimport tarfile\n"
        "stack = next(iter(load_stacks().values()))\ninstallation = next(iter(stack.installations.values()))\n"
        "names = tarfile.open(fileobj=build_context(stack, installation, PackageIndex())).getnames()"
    )
    expression = (
        "['workload/topologies/tiny_net.py' in names, workload_files.workload_sha256(), wheel.workload_sha256()]"
    )
    in_context, by_runner, by_workload = evaluated(clone, imports, expression)
    assert in_context
    assert by_runner == by_workload
    (clone / "images" / "workload" / "topologies" / "tiny_net.py").rename(clone / "tiny_net.py")
    try:
        assert evaluated(clone, "from workload import wheel", "wheel.workload_sha256()") != by_workload
    finally:
        (clone / "tiny_net.py").rename(clone / "images" / "workload" / "topologies" / "tiny_net.py")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('TITLE = "TinyNet"', "must set TITLE to a literal of type str; found None"),
        ("IMAGE_SIZE = 32", "must set IMAGE_SIZE to a literal of type int; found None"),
        ("BATCH_NORMALISED = True", "must set BATCH_NORMALISED to a literal of type bool; found None"),
        ("TRAINING_GFLOPS = 0.1", "must set TRAINING_GFLOPS to a literal of type float; found None"),
    ],
)
def test_a_constant_that_is_missing_is_named(tmp_path: Path, line: str, words: str) -> None:
    """The message has the file, the constant, and what was found."""
    path = tmp_path / "tiny_net.py"
    path.write_text(NEW.replace(line, ""), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"tiny_net\.py {words}"):
        read_topologies(tmp_path)


def test_a_number_in_place_of_a_truth_is_refused(tmp_path: Path) -> None:
    """1 is not True here, nor is a computed value a literal."""
    (tmp_path / "tiny_net.py").write_text(NEW.replace("MALISED = True", "MALISED = 1"), encoding="utf-8")
    with pytest.raises(ValueError, match="type bool; found 1"):
        read_topologies(tmp_path)
