"""The report's section on the user's own topology: what was built from which file. It only reads run.json."""

from __future__ import annotations

from runner.catalogue.topology_file import FOLDER
from runner.report.document import Section, table
from runner.stats.results import Results


def topology_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section; nothing if the run has only topologies of the kit."""
    user_topology = measured.header.own_topology
    if user_topology is None:
        return ()
    threads = {
        launch.inter_op_threads for launch in measured.run.launches if launch.cell.topology == user_topology.topology
    }
    rows = (
        ("name", user_topology.topology),
        ("file", f"{FOLDER}/{user_topology.file.name} beside this report"),
        ("sha256", user_topology.file.sha256),
        ("images", f"{user_topology.image_size} x {user_topology.image_size}"),
        ("layers", str(user_topology.layers)),
        ("trainable values", f"{user_topology.parameters:,}"),
        ("training, one image", f"{user_topology.training_flops_per_image / 1e9:.3g} GFLOP"),
        ("disjoint branches", f"{user_topology.disjoint_branches} ({', '.join(user_topology.branch_layers)})"),
        ("inter-op threads", ", ".join(str(count) if count else "left to TensorFlow" for count in sorted(threads))),
    )
    paragraph = (
        "Built from the user's file by the same code that builds the kit's own topologies, with the same head, loss, "
        "update and seeds. The number of disjoint branches is the largest number of layers of which none needs the "
        "output of another. The article recommends this number for the inter-op threads."
    )
    told = f"{user_topology.layers} layers, {user_topology.parameters:,} trainable values"
    return (Section("The user's own topology", (paragraph,), (table(("", "value"), rows),), summary=told),)
