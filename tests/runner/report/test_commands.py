"""The command line of a run, taken apart."""

from __future__ import annotations

from runner.report.commands import host_options, without_folder

COMMAND = "python -m runner compare --base-image 'a b' --out results/runs/x --blocks 4 --ca-bundle=c.pem"


def test_the_folder_is_left_out_in_either_spelling() -> None:
    rest = "python -m runner compare --base-image 'a b' --blocks 4 --ca-bundle=c.pem"
    assert without_folder(COMMAND) == rest
    assert without_folder(COMMAND.replace("--out results", "--out=results")) == rest
    assert without_folder(rest) == rest


def test_what_installations_are_made_from_is_kept() -> None:
    assert host_options(COMMAND) == ["--base-image", "a b", "--ca-bundle=c.pem"]
    assert host_options("python -m runner compare --out") == []
