"""The report's section on the user's own topology: what was built from which file. Reads run.json alone."""

from __future__ import annotations

from runner.catalogue.topology_file import FOLDER
from runner.report.document import Section, table
from runner.stats.results import Results


def topology_sections(measured: Results) -> tuple[Section, ...]:
    """The section, if the run has a topology that is not the kit's."""
    own = measured.header.own_topology
    if own is None:
        return ()
    threads = {launch.inter_op_threads for launch in measured.run.launches if launch.cell.topology == own.topology}
    rows = (
        ("name", own.topology),
        ("file", f"{FOLDER}/{own.file.name} beside this report"),
        ("sha256", own.file.sha256),
        ("images", f"{own.image_size} x {own.image_size}"),
        ("layers", str(own.layers)),
        ("trainable values", f"{own.parameters:,}"),
        ("training, one image", f"{own.training_flops_per_image / 1e9:.3g} GFLOP"),
        ("disjoint branches", f"{own.disjoint_branches} ({', '.join(own.branch_layers)})"),
        ("inter-op threads", ", ".join(str(count) if count else "left to TensorFlow" for count in sorted(threads))),
    )
    paragraph = (
        "Built from the user's file by the same code that builds the kit's own topologies: the same head, loss, update "
        "and seeds. Disjoint branches are layers of which none needs another's output, at most; the article gives "
        "their number as the inter-op threads."
    )
    return (Section("The user's own topology", (paragraph,), (table(("", "value"), rows),)),)
