"""The images for real: what they hold, what they say, what the build leaves out. Needs an engine and base images."""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import tarfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from runner.catalogue.stacks import HOLDS_MATRIX_PRODUCT, HOLDS_NOTHING, HOLDS_PRIMITIVES, Stack, find_stack
from runner.catalogue.workload_files import workload_sha256
from runner.cli.engines import ENGINES
from runner.engines.docker_images import build_context
from runner.engines.protocol import Artifact, Engine
from runner.session.options import EngineOptions
from runner.support.network import PackageIndex
from tests.runner.conftest import OnlyBuilder, base_of
from tests.runner.engines.containers import built_from, docker

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("images"), pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[3]
STACK = find_stack("tf-2.14")
# The wheels set the size; what the kit adds to them is little.
LARGEST_BYTES = {"tf-1.12": 1.0e9, "tf-1.15": 1.1e9, "tf-2.14": 1.45e9}

INSIDE = """
import json, os, shutil, sys
print(json.dumps({
    "compilers": [name for name in ("gcc", "cc", "g++", "make") if shutil.which(name)],
    "pip": os.path.exists("/opt/environment/bin/pip"),
    "caches": [path for path in ("/root/.cache/pip", "/tmp/.cache", "/build") if os.path.exists(path)],
}))
"""


def test_an_image_holds_what_runs_and_nothing_that_builds(image: tuple[Stack, Artifact]) -> None:
    """Non-root, no compiler, no pip, no cache, and small enough."""
    stack, artifact = image
    assert docker("image", "inspect", "--format", "{{.Config.User}}", artifact.location) == "65532:65532"
    # As root, who sees every folder.
    python = ["--user", "0", "--entrypoint", "/opt/environment/bin/python", artifact.location]
    seen = json.loads(docker("run", "--rm", "--network", "none", *python, "-c", INSIDE))
    assert (seen["compilers"], seen["pip"], seen["caches"]) == ([], False, [])
    assert artifact.provenance["image_bytes"] <= LARGEST_BYTES[stack.name]


# What of oneDNN is in the wheel: its matrix product, and what all of its primitives are made by, under both names.
HELD = """
import json, mmap, os
symbols = {"matrix product": (b"mkldnn_sgemm", b"dnnl_sgemm"),
           "primitives": (b"mkldnn_primitive_create", b"dnnl_primitive_create")}
held = set()
for folder, _, files in os.walk("/opt/environment"):
    for path in (os.path.join(folder, name) for name in files if "tensorflow" in name and ".so" in name):
        with open(path, "rb") as file:
            library = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            held |= {what for what, names in symbols.items() if any(library.find(name) >= 0 for name in names)}
print(json.dumps(sorted(held)))
"""


def test_a_wheel_holds_of_onednn_what_stacks_toml_says(image: tuple[Stack, Artifact]) -> None:
    """By the symbols of its libraries: stock 1.12 has nothing of it, stock 1.15 the matrix product alone."""
    _, artifact = image
    python = ["--user", "0", "--entrypoint", "/opt/environment/bin/python", artifact.location]
    held = json.loads(docker("run", "--rm", "--network", "none", *python, "-c", HELD))
    says = {(): HOLDS_NOTHING, ("matrix product",): HOLDS_MATRIX_PRODUCT,
            ("matrix product", "primitives"): HOLDS_PRIMITIVES}  # fmt: skip
    assert says[tuple(held)] == artifact.installation.holds


def test_an_image_answers_for_itself(image: tuple[Stack, Artifact]) -> None:
    """--version tells what is inside; --self-check trains one step, read-only, without network, without warnings."""
    stack, artifact = image
    hard = ["run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
    assert f"TensorFlow {stack.tensorflow}" in docker(*hard, artifact.location, "--version")
    done = subprocess.run(["docker", *hard, artifact.location, "--self-check"], capture_output=True, text=True)
    assert "self-check passed" in done.stdout, done.stderr
    # TensorFlow logs deprecations of the graph mode that the workload needs; nothing else may warn.
    known = ("Call initializer instance with the dtype argument", "non-resource variables are not supported")
    lines = [line for line in done.stderr.splitlines() if "WARNING" in line or "Warning" in line]
    unexpected = [line for line in lines if not any(words in line for words in known)]
    assert [line for line in unexpected if not line.startswith("WARNING:tensorflow:From")] == []


def test_an_image_says_what_it_is_made_from(image: tuple[Stack, Artifact]) -> None:
    stack, artifact = image
    labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", artifact.location))
    head = subprocess.run(["git", "log", "-1", "--format=%H %cI"], cwd=ROOT, capture_output=True, text=True, check=True)
    commit, created = head.stdout.split()
    assert labels["org.opencontainers.image.revision"].rstrip("+") == commit
    assert labels["org.opencontainers.image.created"] == created
    assert labels["org.opencontainers.image.base.digest"].startswith("sha256:")
    assert labels["tensorflow-speedup-kit.stack"] == stack.name
    assert labels["tensorflow-speedup-kit.lock-sha256"] == artifact.installation.lock_sha256()
    assert labels["tensorflow-speedup-kit.workload-sha256"] == workload_sha256()
    variants = labels["tensorflow-speedup-kit.variants"].split(",")
    assert {stack.variants[name].installation for name in variants} == {artifact.installation.name}


def layer_files(saved: IO[bytes]) -> list[set[str]]:
    """The regular files of each layer in what `docker save` writes."""
    layers = []
    with tarfile.open(fileobj=saved, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None or not (member.name.endswith("layer.tar") or member.name.startswith("blobs/")):
                continue
            with suppress(tarfile.ReadError), tarfile.open(fileobj=content, mode="r|") as layer:
                layers.append({each.name for each in layer if each.isfile()})
    return layers


def test_nothing_is_stored_twice_across_layers(image: tuple[Stack, Artifact]) -> None:
    with subprocess.Popen(["docker", "save", image[1].location], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        layers = layer_files(saved.stdout)
        saved.stdout.read()  # what follows the archive's end
    assert saved.returncode == 0
    assert len(layers) >= 3  # the base, the environment, the workload
    seen = [path for paths in layers for path in paths]
    assert len(seen) == len(set(seen))


# What must not leave the build stage: an index's password, a CA bundle, a proxy's password.
INDEX, BUNDLE, PROXY = (b"password-of-the-index", b"comment-in-the-bundle", b"password-of-the-proxy")


def secrets_in(image: str) -> set[bytes]:
    """Which of them stand anywhere in an image: in a file of any layer, in its history or its settings."""
    texts = [docker("image", "inspect", image).encode(), docker("history", "--no-trunc", image).encode()]
    found = {secret for secret in (INDEX, BUNDLE, PROXY) for text in texts if secret in text}
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        with tarfile.open(fileobj=saved.stdout, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member)
                data = content.read() if content is not None else b""
                plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
                found |= {secret for secret in (INDEX, BUNDLE, PROXY) if secret in plain}
        saved.stdout.read()
    assert saved.returncode == 0
    return found


def test_secrets_of_the_build_are_not_in_the_image(
    request: pytest.FixtureRequest, only_builder: OnlyBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built with all of them, for real: the stage that is thrown away holds them; layers, history, settings do not."""
    stack = find_stack("tf-1.12")
    base, installation = base_of(request, stack), stack.installations["stock"]
    trusted = PackageIndex().bundle() or Path(ssl.get_default_verify_paths().cafile or "")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(trusted.read_bytes() + b"# " + BUNDLE + b"\n")
    for name in ("HTTP_PROXY", "http_proxy"):  # which the index, by HTTPS, does not go through
        monkeypatch.setenv(name, f"http://user:{PROXY.decode()}@127.0.0.1:9")
    url = f"https://user:{INDEX.decode()}@pypi.org/simple"
    asked = EngineOptions(pip_index=url, ca_bundle=bundle, base_image={stack.name: base})
    engine = ENGINES["docker"](asked)
    with only_builder():  # of another process too: a tag is its newest image's
        artifact = engine.prepare(stack, installation, print)
    assert secrets_in(artifact.location) == set()
    assert INDEX.decode() not in str(artifact.provenance)
    # The search can find them: in the files of a layer, and in settings.
    context = build_context(stack, installation, PackageIndex(url, bundle)).getvalue()
    thrown_away = built_from(context, "--target", "build", "--build-arg", f"BASE_IMAGE={base}")
    assert secrets_in(thrown_away) == {INDEX, BUNDLE}
    leaking = built_from(f"FROM {base}\nLABEL proxy={PROXY.decode()}\n".encode())
    try:
        assert secrets_in(leaking) == {PROXY}
    finally:
        docker("rmi", "--force", leaking)


def test_a_second_build_takes_every_step_from_the_cache(engine: Engine, images: dict[str, Artifact]) -> None:
    """A rebuild without changes gives the same image in seconds."""
    started = time.monotonic()
    again = engine.prepare(STACK, STACK.installations["stock"], print)
    assert again.location == images["stock"].location
    assert time.monotonic() - started < 60


def layers_of(image: str) -> list[str]:
    """The digests of an image's layers, from the base up."""
    layers: list[str] = json.loads(docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", image))
    return layers


def test_a_changed_workload_is_one_layer_on_what_was_built_before(images: dict[str, Artifact], base_image: str) -> None:
    """Nothing is installed again: all layers below it are those of the image before the change."""
    context = build_context(STACK, STACK.installations["stock"], PackageIndex())
    with tarfile.open(fileobj=context, mode="a") as archive:
        archive.addfile(tarfile.TarInfo("workload/added.py"))
    changed = built_from(context.getvalue(), "--build-arg", f"BASE_IMAGE={base_image}")
    try:
        before, after = layers_of(images["stock"].location), layers_of(changed)
        assert (len(after), after[:-1]) == (len(before), before[:-1])
        assert after[-1] != before[-1]
    finally:
        docker("rmi", "--force", changed)
