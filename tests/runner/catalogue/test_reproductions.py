"""What `reproduce` measures is data that names what exists; a mistake in it is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.catalogue.reproductions import find_reproduction_preset, load_reproduction_presets
from runner.errors import UsageError

PART = '[[reproductions.mine.parts]]\nname = "a"\ntitle = "t"\nstacks = ["tf-1.12"]\nshare = 1\n'
HEAD = 'schema_version = 1\n[reproductions.mine]\ntitle = "t"\n'


def test_night_comes_first_and_has_the_articles_batch_size() -> None:
    assert list(load_reproduction_presets()) == ["night", "coffee"]
    assert find_reproduction_preset("night").parts[0].preset == "figure1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + PART + "sise = 3\n", "sise"),
        (HEAD + PART.replace("share = 1\n", ""), "share"),
        (HEAD + PART.replace('["tf-1.12"]', '"tf-1.12"'), "stacks"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "reproductions.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=words):
        load_reproduction_presets(path)


def test_an_unknown_preset_is_told() -> None:
    with pytest.raises(UsageError, match="night, coffee"):
        find_reproduction_preset("week")
