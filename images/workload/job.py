"""Reads and validates a job, the JSON object that says what one launch does.

It must not import TensorFlow, so that an invalid job is refused at once.
"""

import json
import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Union

from workload.topologies import TOPOLOGIES
from workload.turns import Turn

SCHEMA_VERSION = 1
TOPOLOGY_NAMES = tuple(TOPOLOGIES)
LAYOUTS = ("NHWC", "NCHW")

# This launch's number in a group of launches that take turns, every turn of the group in its order, and the seconds
# that a timed turn is to take.
TurnsJob = NamedTuple("TurnsJob", [("member", int), ("order", Tuple[Turn, ...]), ("burst_seconds", float)])

# A training graph that an earlier launch built: its file in the job's folder, and the hash of its content.
GraphFile = NamedTuple("GraphFile", [("file", str), ("sha256", str)])

TrainJob = NamedTuple(
    "TrainJob",
    [
        ("launch_id", str),
        ("topology", str),
        ("topology_file", Optional[str]),  # in the job's folder; None for one of TOPOLOGY_NAMES
        ("batch_size", int),
        ("layout", str),
        ("warmup_steps", int),
        ("timed_steps", int),
        ("time_limit_seconds", Optional[float]),
        ("intra_op_threads", int),  # 0: TensorFlow's default
        ("inter_op_threads", int),
        ("seed", int),
        ("traced", bool),  # a quiet launch: after its steps, one more step is run under tracing
        ("fingerprinted", bool),  # a launch that is not timed: the fingerprint of its first step is kept
        ("graph_optimisation", bool),  # False: the session leaves the graph as it was built
        ("turns", Optional[TurnsJob]),  # None: the launch has the CPUs to itself
        ("graph", Optional[GraphFile]),  # None: the launch builds its graph
        ("keeps_graph", bool),  # the graph is written beside the result
    ],
)

GemmJob = NamedTuple(
    "GemmJob",
    [
        ("launch_id", str),
        ("sizes", Tuple[int, ...]),
        ("repeats", int),
        ("time_limit_seconds", Optional[float]),
        ("intra_op_threads", int),
        ("inter_op_threads", int),
    ],
)

DescribeJob = NamedTuple(
    "DescribeJob",
    [
        ("launch_id", str),
        ("topology", str),
        ("topology_file", Optional[str]),
        ("batch_size", int),
        ("layout", str),
        ("time_limit_seconds", Optional[float]),  # has no effect, because nothing is run
        ("intra_op_threads", int),
        ("inter_op_threads", int),
    ],
)

Job = Union[TrainJob, GemmJob, DescribeJob]
Check = Callable[[Any], bool]
Rule = Tuple[Check, str]


class InvalidJobError(ValueError):
    """The workload cannot carry out this job; the message names the key, its value and what is expected."""


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _at_least(smallest: int) -> Rule:
    return (lambda value: _is_int(value) and value >= smallest), "an integer of at least {}".format(smallest)


def _one_of(allowed: Tuple[str, ...]) -> Rule:
    return (lambda value: isinstance(value, str) and value in allowed), "one of " + ", ".join(allowed)


def _is_time_limit(value: Any) -> bool:
    return value is None or ((_is_int(value) or isinstance(value, float)) and 0 < value < float("inf"))


def _is_sizes(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_int(size) and size >= 1 for size in value)


def _is_graph(value: Any) -> bool:
    if not (isinstance(value, dict) and sorted(value) == ["file", "sha256"]):
        return False
    file, sha256 = value["file"], value["sha256"]
    return (
        isinstance(file, str)
        and re.match(r"[A-Za-z0-9_][A-Za-z0-9_.-]*$", file) is not None
        and isinstance(sha256, str)
        and re.match(r"[0-9a-f]{64}$", sha256) is not None
    )


def _is_turn(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 3 and _is_int(value[0]) and _is_int(value[2])):
        return False
    member, phase, steps = value
    return member >= 0 and (steps == 0 if phase == "end" else phase in ("warmup", "timed") and steps >= 1)


def _are_turns(value: Any) -> bool:
    """Is it a group in which every member has warm-up before timed turns, one end after all of them, and no gap?"""
    if not (isinstance(value, dict) and sorted(value) == ["burst_seconds", "member", "order"]):
        return False
    order, seconds = value["order"], value["burst_seconds"]
    if not (isinstance(order, list) and order and all(_is_turn(turn) for turn in order)):
        return False
    if not (_is_int(seconds) or isinstance(seconds, float)) or not 0 <= seconds < float("inf"):
        return False
    members = sorted({member for member, _, _ in order})
    phases = [[phase for member, phase, _ in order if member == each] for each in members]
    ranks = [[("warmup", "timed", "end").index(phase) for phase in each] for each in phases]
    ends = [phase == "end" for _, phase, _ in order]
    return (
        members == list(range(len(members)))
        and value["member"] in members
        and all(each == sorted(each) and each.count(1) >= 1 and each.count(2) == 1 for each in ranks)
        and ends == sorted(ends)
    )


_COMMON: Dict[str, Rule] = {
    "schema_version": (lambda value: _is_int(value) and value == SCHEMA_VERSION, str(SCHEMA_VERSION)),
    "launch_id": (lambda value: isinstance(value, str) and value != "", "a string that is not empty"),
    "kind": _one_of(("train", "probe", "quiet", "gemm", "describe")),
    "time_limit_seconds": (_is_time_limit, "a number above 0, or null"),
    "intra_op_threads": _at_least(0),
    "inter_op_threads": _at_least(0),
}

_NETWORK: Dict[str, Rule] = {
    "topology": _one_of(TOPOLOGY_NAMES),
    "batch_size": _at_least(1),
    "layout": _one_of(LAYOUTS),
}

# For a topology file, the file's stem is the topology's name. The file must be in the job's folder, and the name must
# not be that of a built-in topology.
_OWN_TOPOLOGY: Dict[str, Rule] = {
    "topology": (
        lambda value: isinstance(value, str) and value.isidentifier() and value not in TOPOLOGY_NAMES,
        "an identifier other than " + ", ".join(TOPOLOGY_NAMES),
    ),
    "topology_file": (
        lambda value: isinstance(value, str) and value.endswith(".py") and value[:-3].isidentifier(),
        "the name of a Python file in the job's folder",
    ),
}

_STEPS: Dict[str, Rule] = {
    "warmup_steps": _at_least(0),
    "timed_steps": _at_least(1),
    "graph_optimisation": (lambda value: isinstance(value, bool), "true or false"),
    # numpy's RandomState accepts no other seeds
    "seed": (lambda value: _is_int(value) and 0 <= value < 2**32, "an integer from 0 to 4294967295"),
}

_TURNS: Rule = (
    _are_turns,
    "burst_seconds, a member, an order of [member, phase, steps] in which all train and then end",
)

_GRAPH: Dict[str, Rule] = {
    "graph": (_is_graph, "an object with file, a name in the job's folder, and its sha256"),
    "keeps_graph": (lambda value: isinstance(value, bool), "true or false"),
}

_PROBING = ("probe", "quiet")

_GEMM: Dict[str, Rule] = {
    "sizes": (_is_sizes, "a list of integers of at least 1"),
    "repeats": _at_least(1),
}


def read_job(path: str) -> Any:
    """Return the content of a job file, not yet validated.

    Raises:
        InvalidJobError: the file cannot be read, or is not JSON.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise InvalidJobError("cannot read the job file {}: {}".format(path, error)) from error


def validate_job(content: Any) -> Job:
    """Return the job that a decoded JSON value describes.

    Raises:
        InvalidJobError: a key is missing or unknown, or a value is not allowed; the message names all faults.
    """
    if not isinstance(content, dict):
        raise InvalidJobError("a job is a JSON object, found {}".format(type(content).__name__))
    rules = _rules(content)
    faults = _faults(content, rules)
    if not faults and content.get("topology_file") not in (None, "{}.py".format(content.get("topology"))):
        faults.append("topology_file is {topology_file}, expected {topology}.py".format(**content))
    if not faults and "turns" in content:
        faults += _steps_that_differ(content)
    if faults:
        raise InvalidJobError("; ".join(faults))
    values = {key: value for key, value in content.items() if key not in ("schema_version", "kind")}
    if values["time_limit_seconds"] is not None:
        values["time_limit_seconds"] = float(values["time_limit_seconds"])
    if content["kind"] == "gemm":
        values["sizes"] = tuple(values["sizes"])
        return GemmJob(**values)
    values.setdefault("topology_file", None)
    if content["kind"] == "describe":
        return DescribeJob(**values)
    turns = values.pop("turns", None)
    values["turns"] = turns and TurnsJob(
        turns["member"], tuple(Turn(*turn) for turn in turns["order"]), float(turns["burst_seconds"])
    )
    values["graph"] = GraphFile(**values["graph"]) if "graph" in values else None
    values.setdefault("keeps_graph", False)
    return TrainJob(traced=content["kind"] == "quiet", fingerprinted=content["kind"] in _PROBING, **values)


def _rules(content: Dict[str, Any]) -> Dict[str, Rule]:
    rules = dict(_COMMON)
    if content.get("kind") == "gemm":
        rules.update(_GEMM)
        return rules
    rules.update(_NETWORK)
    if content.get("kind") != "describe":
        rules.update(_STEPS)
        rules.update((key, rule) for key, rule in _GRAPH.items() if key in content)
    if content.get("kind") == "train" and "turns" in content:
        rules["turns"] = _TURNS
    if content.get("kind") in _PROBING:
        rules["warmup_steps"] = _at_least(1)  # the fingerprint of the first step takes time, so it must not be timed
    if "topology_file" in content:
        rules.update(_OWN_TOPOLOGY)
    return rules


def _steps_that_differ(content: Dict[str, Any]) -> List[str]:
    """The counts of steps of which the turns of this member make another sum."""
    faults = []
    for key, name in (("warmup_steps", "warmup"), ("timed_steps", "timed")):
        found = sum(
            steps
            for member, phase, steps in content["turns"]["order"]
            if (member, phase) == (content["turns"]["member"], name)
        )
        if found != content[key]:
            faults.append("{} is {}, and the turns have {}".format(key, content[key], found))
    return faults


def _faults(content: Dict[str, Any], rules: Dict[str, Rule]) -> List[str]:
    faults = ["missing key {}: expected {}".format(key, rules[key][1]) for key in rules if key not in content]
    faults += ["unknown key {}".format(key) for key in sorted(content) if key not in rules]
    for key, (is_allowed, expected) in rules.items():
        if key in content and not is_allowed(content[key]):
            faults.append("{} is {}, expected {}".format(key, json.dumps(content[key]), expected))
    return faults
