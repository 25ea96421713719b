"""A launch's files: a disk that cannot take them ends the run in one paragraph."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from runner.errors import DiskError
from runner.session.execute import make_folders
from runner.storage.runs import Run
from tests.runner.builders import plan


@pytest.mark.parametrize("failing", ["pathlib.Path.mkdir", "runner.session.execute.write_whole"])
def test_a_full_disk_is_told_with_how_to_go_on(tmp_path: Path, failing: str) -> None:
    run = Run(tmp_path, {"run": "run"})
    full = mock.patch(failing, side_effect=OSError(28, "No space left on device"))
    with full, pytest.raises(DiskError, match=r"launches.*No space left on device.*--resume"):
        make_folders(run, plan().launches[0], session=1)
