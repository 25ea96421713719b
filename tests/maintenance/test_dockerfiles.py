"""The committed Dockerfiles: what the template renders, by the usual rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from maintenance.dockerfiles import rendered_path
from runner.catalogue.stacks import Installation, every_installation, load_stacks
from runner.engines.dockerfile import render

INSTALLATIONS = [each for _, each in every_installation(load_stacks().values())]


@pytest.mark.parametrize("installation", INSTALLATIONS, ids=lambda each: f"{each.stack}-{each.name}")
def test_the_committed_dockerfile_is_what_the_template_renders(installation: Installation) -> None:
    """Run `python -m maintenance.dockerfiles` after a change of the template or of stacks.toml."""
    committed = rendered_path(installation).read_text(encoding="utf-8")
    assert committed == render(load_stacks()[installation.stack], installation)


@pytest.mark.parametrize("installation", INSTALLATIONS, ids=lambda each: f"{each.stack}-{each.name}")
def test_hadolint_finds_nothing_in_a_dockerfile(installation: Installation) -> None:
    """The rendered files follow the usual rules for Dockerfiles; what is ignored is ignored there, with its reason."""
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, rendered_path(installation)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
