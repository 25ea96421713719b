"""Sentences of earlier versions that were wrong are put right in what is drawn, and only those."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runner.catalogue.presets import find_preset
from runner.catalogue.stacks import find_stack
from runner.report.corrections import SENTENCES, corrected

EARLIER_RUN = Path(__file__).resolve().parents[2] / "data" / "earlier_run"
OLD_LABEL = "stock (no MKL-DNN in it)"


def test_a_run_of_before_is_drawn_without_them() -> None:
    """The committed run of an earlier version has two of them, and keeps everything else."""
    header = json.loads((EARLIER_RUN / "run.json").read_text())
    found = json.dumps(header)
    assert "recent CPU" in found
    for wrong, right in SENTENCES.items():
        found = found.replace(json.dumps(wrong), json.dumps(right))
    assert json.dumps(corrected(header)) == found
    assert "recent CPU" not in found


@pytest.mark.parametrize(("stack", "is_wrong"), [("tf-1.12", False), ("tf-1.15", True)])
def test_the_label_that_is_right_of_one_release_is_wrong_of_another(stack: str, is_wrong: bool) -> None:
    """Nothing of MKL-DNN is in stock 1.12; its matrix product is in stock 1.15, whose label of today is drawn."""
    entry = {"tensorflow": find_stack(stack).tensorflow, "variants": {"stock": {"label": OLD_LABEL}}}
    label = corrected({"stacks": {stack: entry}})["stacks"][stack]["variants"]["stock"]["label"]
    assert (label != OLD_LABEL) == is_wrong
    assert label == find_stack(stack).variants["stock"].label


def test_the_sentences_of_the_preset_quick_are_drawn_as_it_had_them_last() -> None:
    """It left a variant out then. The preset that they name for it must be one that exists."""
    written = [each for each in SENTENCES if each.startswith("The preset quick")]
    assert len(written) == 2
    (right,) = {SENTENCES[each] for each in written}
    assert right.startswith("The preset quick leaves out stock with oneDNN switched on (TF_ENABLE_ONEDNN_OPTS=1)")
    (named,) = re.findall(r"`--preset (\w+)`", right)
    assert find_preset(named).name == named
