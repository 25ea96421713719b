"""`push`, `pull` and `plan --images` on the command line: a real engine and registry, and tiny images."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto import mock_aws

from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.docker_sdk import Docker
from runner.registry import image_lock
from runner.registry.labels import BASE_IMAGE, WORKLOAD_SHA256
from tests.runner.registry.conftest import MakeImage, forget
from tests.runner.registry.locks import TF, labels, lock
from tests.runner.registry.servers import PASSWORD, USER
from tests.runner.registry.test_ecr import bare

pytestmark = [pytest.mark.registry, pytest.mark.docker]

Kit = Callable[..., int]
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/tf-kit"
PLAN = ("plan", "--engine", "docker", "--topologies", "alexnet", "--blocks", "2")


@pytest.fixture
def kit(in_folder: Path) -> Kit:
    """Run a command line in an empty folder; its exit code."""
    return lambda *arguments: main(arguments, ENGINES)


@pytest.fixture
def built(make_image: MakeImage, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Both installations' images as `build` would name and label them, by a name that is only this test's."""
    name = f"kit-test-{uuid4().hex[:8]}"
    monkeypatch.setattr("runner.engines.docker_images.REPOSITORY", name)
    make_image(f"{name}:base", content=b"base")
    return {
        each.name: make_image(
            f"{name}:{TF.name}-{each.name}", labels(each, **{BASE_IMAGE: f"{name}:base"}), content=b"base"
        )
        for each in TF.installations.values()
    }


def fresh(host: str) -> str:
    """A repository that no other test uses."""
    return f"{host}/kit-{uuid4().hex[:8]}"


def test_push_writes_a_lock_by_which_plan_and_pull_go(
    kit: Kit, built: dict[str, str], registry: str, docker: Docker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tags carry version and content, entries are by variant, and a printed `docker run` names the digest."""
    to = fresh(registry)
    assert kit("push", "--to", to) == 0
    out = capsys.readouterr().out
    assert out.count("pushing ") == 2
    assert "layer " in out
    written = image_lock.read(Path("images.lock.json"))
    assert list(written.images) == ["tf-2.14/stock", "tf-2.14/stock-onednn", "tf-2.14/intel"]
    for image in written.distinct:
        assert str(image.repository) == to
        assert image.image_id == built[image.installation]
        assert image.tag.startswith(f"tf-2.14-{image.installation}-{written.kit['version']}-")
        assert docker.registry_digest(f"{to}:{image.tag}", None) == image.digest
    assert kit(*PLAN, "--images", "images.lock.json") == 0
    assert written.find("tf-2.14", "intel").reference in capsys.readouterr().out
    forget(*built.values())
    assert kit("pull", "--images", "images.lock.json") == 0
    assert all(docker.find_image(image) for image in built.values())


@pytest.mark.xdist_group("launches")  # as it begins, compare removes what runs before it have left
def test_images_of_another_workload_are_refused_before_anything_runs(
    kit: Kit, registry: str, no_measurement: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lock from another revision of the kit: exit code 2, the field, and what to check out."""
    data = lock(fresh(registry)).to_json()
    for entry in data["images"].values():
        entry["labels"][WORKLOAD_SHA256] = "another"
    Path("images.lock.json").write_text(json.dumps(data))
    for command in (PLAN, ("compare", *PLAN[1:], "--out", "run"), ("build", "--engine", "docker")):
        assert kit(*command, "--images", "images.lock.json") == 2
        error = capsys.readouterr().err
        assert "workload-sha256 is another in the image" in error
        assert "Check out" in error
    assert not Path("run").exists()


def test_pushing_twice_sends_nothing_and_writes_the_same_lock(
    kit: Kit, built: dict[str, str], registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    to = fresh(registry)
    assert kit("push", "--to", to, "--images", "one.json") == 0
    capsys.readouterr()
    assert kit("push", "--to", to, "--images", "two.json") == 0
    assert capsys.readouterr().out.count("nothing is sent") == 2
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()


def test_a_refused_push_leaves_the_lock_that_was_there(
    kit: Kit, built: dict[str, str], registry: str, make_image: MakeImage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another build of the same content under the same tag: exit code 3, both digests, an untouched file."""
    to = fresh(registry)
    assert kit("push", "--to", to) == 0
    before = Path("images.lock.json").read_bytes()
    stock = TF.installations["stock"]
    name = json.loads(before)["images"]["tf-2.14/stock"]["labels"][BASE_IMAGE].partition(":")[0]
    again = make_image(f"{name}:tf-2.14-stock", labels(stock, **{BASE_IMAGE: f"{name}:base"}, built="again"), b"base")
    capsys.readouterr()
    assert kit("push", "--to", to) == 3
    error = capsys.readouterr().err
    assert again in error
    assert json.loads(before)["images"]["tf-2.14/stock"]["reference"].partition("@")[2] in error
    assert Path("images.lock.json").read_bytes() == before


def test_an_image_that_was_not_built_is_told(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("runner.engines.docker_images.REPOSITORY", "kit-test-absent")
    assert kit("push", "--to", fresh(registry)) == 3
    assert "build --engine docker --stack tf-2.14` first" in capsys.readouterr().err


def test_an_image_of_another_workload_is_not_pushed(
    kit: Kit, built: dict[str, str], registry: str, make_image: MakeImage, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """An old build under the kit's tag is told by the label that differs."""
    monkeypatch.setattr("runner.engines.docker_images.REPOSITORY", name := f"kit-test-{uuid4().hex[:8]}")
    stock = TF.installations["stock"]
    make_image(f"{name}:tf-2.14-stock", labels(stock, **{WORKLOAD_SHA256: "another"}))
    assert kit("push", "--to", fresh(registry)) == 3
    assert "workload-sha256 is another in the image" in capsys.readouterr().err


def test_a_base_that_is_another_by_now_is_told(
    kit: Kit, built: dict[str, str], registry: str, make_image: MakeImage, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A base without a digest in its name counts only if the image really begins with its layers."""
    monkeypatch.setattr("runner.engines.docker_images.REPOSITORY", name := f"kit-test-{uuid4().hex[:8]}")
    make_image(f"{name}:base", content=b"another base")
    stock = TF.installations["stock"]
    make_image(f"{name}:tf-2.14-stock", labels(stock, **{BASE_IMAGE: f"{name}:base"}), b"base")
    assert kit("push", "--to", fresh(registry)) == 3
    assert f"was built on {name}:base" in capsys.readouterr().err


def test_the_password_comes_from_the_environment_or_standard_input(
    kit: Kit, built: dict[str, str], closed_registry: str, monkeypatch: pytest.MonkeyPatch, in_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Both let in; nothing that is printed or written has it; without it the way to give it is told."""
    to = fresh(closed_registry)
    assert kit("push", "--to", to, "--username", USER) == 2
    assert "KIT_REGISTRY_PASSWORD" in capsys.readouterr().err
    assert kit("push", "--to", to, "--password-stdin") == 2
    monkeypatch.setenv("KIT_REGISTRY_PASSWORD", PASSWORD)
    assert kit("push", "--to", to, "--username", USER) == 0
    forget(*built.values())
    monkeypatch.delenv("KIT_REGISTRY_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert kit("pull", "--username", USER, "--password-stdin") == 0
    captured = capsys.readouterr()
    assert PASSWORD not in captured.out + captured.err + Path("images.lock.json").read_text()


def test_what_docker_login_left_lets_in(
    kit: Kit, built: dict[str, str], closed_registry: str, monkeypatch: pytest.MonkeyPatch, in_folder: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(in_folder))
    login = ["docker", "login", "--username", USER, "--password-stdin", closed_registry]
    subprocess.run(login, input=PASSWORD.encode(), check=True, capture_output=True)
    assert kit("push", "--to", fresh(closed_registry)) == 0


def test_options_of_ecr_are_refused_for_other_registries(
    kit: Kit, built: dict[str, str], registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option without an effect is refused and not ignored."""
    for option in (["--keep-last", "3"], ["--encryption", "KMS"], ["--profile", "nobody"]):
        assert kit("push", "--to", fresh(registry), *option) == 2
        assert f"{option[0]} is for Amazon ECR" in capsys.readouterr().err


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Moto's account."""
    bare(monkeypatch, tmp_path)
    with mock_aws():
        yield


@pytest.mark.parametrize("to", [ECR, "ecr:tf-kit"])
def test_dry_run_prints_every_call_and_makes_none(
    kit: Kit, built: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], to: str,
) -> None:  # fmt: skip
    """Without credentials and without a network, where a single call would fail; no lock is written."""
    bare(monkeypatch, tmp_path)
    assert kit("push", "--to", to, "--region", "us-east-1", "--keep-last", "2", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    calls = [line.split()[0] for line in lines if line.startswith(("ecr:", "sts:"))]
    asked = ["sts:GetCallerIdentity"] if to.startswith("ecr:") else []
    assert calls == [*asked, "ecr:DescribeRepositories", "ecr:CreateRepository", "ecr:PutLifecyclePolicy",
                     "ecr:GetAuthorizationToken"]  # fmt: skip
    assert '"imageTagMutability": "IMMUTABLE"' in " ".join(lines)
    assert sum(line.startswith("docker push ") for line in lines) == 2
    assert all("tf-kit:tf-2.14-" in line for line in lines if line.startswith("docker push "))
    assert lines[-1].startswith("write images.lock.json")
    assert not list(Path.cwd().glob("*.json"))


def test_an_ecr_host_of_another_region_is_refused(
    kit: Kit, built: dict[str, str], account: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The host name decides; an option that contradicts it is a mistake."""
    assert kit("push", "--to", ECR, "--region", "eu-west-1") == 2
    assert "--region eu-west-1 is not the region" in capsys.readouterr().err


def test_ecr_without_a_region_is_told(
    kit: Kit, built: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    bare(monkeypatch, tmp_path)
    assert kit("push", "--to", "ecr:tf-kit") == 2
    assert "No AWS region is known" in capsys.readouterr().err


def test_ecr_without_credentials_is_told(
    kit: Kit, built: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    bare(monkeypatch, tmp_path)
    assert kit("push", "--to", ECR) == 3
    assert "No AWS credentials were found" in capsys.readouterr().err
