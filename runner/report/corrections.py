"""Corrects sentences that earlier versions of the kit wrote into run.json and that were found to be wrong.

They are corrected when a report is drawn. run.json itself stays as it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEFT_OUT = (
    "The preset quick leaves out stock with oneDNN switched on (TF_ENABLE_ONEDNN_OPTS=1), which TensorFlow does by "
    "itself on some CPUs. `--preset figure1` draws it as a third bar."
)
# The sentence as it was written -> the sentence as it is drawn. Today's images/stacks.toml has the reasons.
SENTENCES: Mapping[str, str] = {
    "stock, oneDNN on (as shipped on recent CPUs)": "stock, oneDNN on",
    "What a user of a recent CPU has today without doing anything; switched on by name so that older CPUs measure the "
    "same thing.": "The same wheel with oneDNN on, which anybody can have by this one variable. Whether a plain "
    "installation has it on depends on the CPU. Switched on by name, so that every CPU measures the same thing.",
    "The preset quick leaves out stock with oneDNN on, which is what a recent CPU runs today: figure1 and full draw it "
    "as a third bar.": _LEFT_OUT,
    "The preset quick leaves out stock with oneDNN switched on (TF_ENABLE_ONEDNN_OPTS=1), which some CPUs have on "
    "without being asked: figure1 and full draw it as a third bar.": _LEFT_OUT,
}
# These sentences are right for TensorFlow 1.12, and wrong for 1.15, which contains MKL-DNN's matrix product.
OF_ONE_FIFTEEN: Mapping[str, str] = {
    "stock (no MKL-DNN in it)": "stock (of MKL-DNN the matrix product alone)",
    "The stock wheel computes on Eigen's thread pools; it has neither MKL-DNN nor OpenMP in it": "The stock wheel "
    "computes on Eigen's thread pools and has no OpenMP in it. Of MKL-DNN it has the matrix product alone, which "
    "Eigen's kernels call for their tiles, on the threads of that pool",
}


def corrected(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contents of run.json with these sentences corrected and everything else unchanged."""
    result: dict[str, Any] = _replaced(header, SENTENCES)
    for stack, entry in result["stacks"].items():
        if str(entry.get("tensorflow", "")).startswith("1.15."):
            result["stacks"][stack] = _replaced(entry, OF_ONE_FIFTEEN)
    return result


def _replaced(value: Any, sentences: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return sentences.get(value, value)
    if isinstance(value, Mapping):
        return {key: _replaced(each, sentences) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(each, sentences) for each in value]
    return value
