"""The workload's command line. It prints texts for people and the output of --describe; a launch's result is a file.

It must not import TensorFlow before a launch has observed its process.
"""

import argparse
import json
import os
import sys
from typing import Any, Dict, List, Optional

from workload import __version__, tensorflow_compat, wheel
from workload.host import CAPTURES, capture
from workload.job import LAYOUTS, TOPOLOGY_NAMES, InvalidJobError, read_job
from workload.launch import carry_out
from workload.result import describe_error, empty_result, write_result
from workload.topologies import TOPOLOGIES, Topology
from workload.topology_file import TopologyError, file_errors, load_topology, read_source

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_INVALID_JOB = 2  # the same code as argparse has for a usage error

SELF_CHECK_JOB: Dict[str, Any] = {
    "schema_version": 1,
    "launch_id": "self-check",
    "kind": "train",
    "topology": "alexnet",
    "batch_size": 1,
    "layout": "NHWC",
    "warmup_steps": 0,
    "timed_steps": 1,
    "time_limit_seconds": None,
    "intra_op_threads": 0,
    "inter_op_threads": 0,
    "seed": 0,
    "graph_optimisation": True,
}


def main(arguments: List[str]) -> int:
    """Run the command line. Return its exit code: 0 success, 1 the launch failed, 2 invalid job or usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        return _print_version()
    if options.self_check:
        return _self_check()
    if options.describe:
        return _print_description(TOPOLOGIES[options.describe], options.layout, options.batch_size)
    if options.describe_file:
        return _describe_file(options.describe_file, options.layout, options.batch_size)
    if not options.result_dir or not (options.job or options.capture):
        parser.error("--job and --capture go with --result-dir")
    if not os.path.isdir(options.result_dir):
        parser.error("--result-dir {}: there is no such folder; create it first".format(options.result_dir))
    if options.capture:
        return _print_captured(options.capture, options.result_dir)
    return _launch(options.job, options.result_dir, options.turns_dir)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workload", description="Train one topology and write what was measured.")
    parser.add_argument("--job", metavar="FILE", help="the job, a JSON file")
    parser.add_argument("--result-dir", metavar="DIR", help="where to write; it must exist")
    parser.add_argument("--capture", choices=sorted(CAPTURES), help="copy files on the host to --result-dir")
    parser.add_argument("--turns-dir", metavar="DIR", help="the FIFOs of the launches that take turns")
    parser.add_argument("--version", action="store_true", help="print versions and the workload's hash")
    parser.add_argument("--self-check", action="store_true", help="train alexnet for one step, as a test")
    parser.add_argument("--describe", choices=TOPOLOGY_NAMES, help="print a topology's layers as JSON")
    parser.add_argument("--describe-file", metavar="FILE", help="the same for a Python file with your own topology")
    parser.add_argument("--layout", choices=LAYOUTS, default="NHWC", help="for --describe (default: %(default)s)")
    parser.add_argument("--batch-size", type=_positive, default=1, help="for --describe (default: %(default)s)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected at least 1, found {}".format(text))
    return number


def _launch(job_path: str, result_folder: str, turns_folder: Optional[str] = None) -> int:
    try:
        content = read_job(job_path)
    except InvalidJobError as error:
        result = empty_result(None)
        result.update(status="error", error=describe_error(error))
    else:
        result = carry_out(content, os.path.dirname(os.path.abspath(job_path)), turns_folder, result_folder)
    path = write_result(result_folder, result)
    print(_summary(result, path))
    if result["error"] is None:
        return EXIT_OK
    return EXIT_INVALID_JOB if result["error"]["kind"] == "invalid_job" else EXIT_ERROR


def _summary(result: Dict[str, Any], path: str) -> str:
    if result["error"] is not None:
        return "error: {kind}: {message}".format(**result["error"])
    return "{} steps, stopped by {}: {}".format(len(result["steps"]), result["stopped_by"], path)


def _print_version() -> int:
    import numpy

    tensorflow_compat.load_tensorflow()
    found = wheel.versions()
    print("workload {} sha256 {}".format(__version__, wheel.workload_sha256()))
    print("TensorFlow {}".format(tensorflow_compat.tensorflow_version()))
    print("numpy {}".format(numpy.__version__))
    print("Python {}".format(found["python"]))
    return EXIT_OK


def _self_check() -> int:
    result = carry_out(SELF_CHECK_JOB)
    if result["error"] is not None:
        print("self-check failed: {kind}: {message}".format(**result["error"]), file=sys.stderr)
        return EXIT_ERROR
    step = result["steps"][0]
    print(
        "self-check passed: TensorFlow {}, alexnet, batch 1: loss {:.4f} in {:.2f} s".format(
            result["versions"]["tensorflow"], step["loss"], step["seconds"]
        )
    )
    return EXIT_OK


def _print_captured(what: str, folder: str) -> int:
    print("{} files of this host's {} copied to {}".format(len(capture(what, folder)), what, folder))
    return EXIT_OK


def _describe_file(path: str, layout: str, batch_size: int) -> int:
    try:
        source = read_source(path)
        topology = load_topology(source)
        with file_errors(source.file_name):
            return _print_description(topology, layout, batch_size)
    except TopologyError as error:
        print("{}\nerror: {}".format(error.frames, error).strip(), file=sys.stderr)
        return EXIT_ERROR


def _print_description(topology: Topology, layout: str, batch_size: int) -> int:
    from workload.describe import describe_topology

    tf = tensorflow_compat.load_tensorflow()
    print(json.dumps(describe_topology(tf, topology, layout, batch_size), indent=1))
    return EXIT_OK
