"""Carries a launch out from a decoded job to a filled result, whatever happens on the way.

It must not import TensorFlow before what the process may use has been observed.
"""

import contextlib
import importlib
import time
from typing import Any, Dict, List

from workload import evidence, observe, tensorflow_compat, wheel
from workload.cgroup import read_memory_peak_bytes
from workload.gemm import measure_gemm
from workload.job import GemmJob, Job, TrainJob, validate_job
from workload.result import describe_error, empty_result
from workload.stepping import Step, run_phases


def carry_out(content: Any) -> Dict[str, Any]:
    """Run the job that `content`, a decoded JSON value, describes; return the result. Errors end up in the result."""
    result = empty_result(content)
    result["observed"] = observe.observe()
    result["versions"] = wheel.versions()
    result["workload_sha256"] = wheel.workload_sha256()
    try:
        job = validate_job(content)
        result["observed"]["intra_op_threads"] = job.intra_op_threads
        result["observed"]["inter_op_threads"] = job.inter_op_threads
        tf = _import_tensorflow(result)
        with contextlib.ExitStack() as open_sessions:  # their threads are part of the evidence
            try:
                _run(tf, job, result, open_sessions)
            finally:
                _collect_evidence(result)
    except Exception as error:  # noqa: BLE001  (the outcome of a launch is a result, its errors too)
        result["status"] = "error"
        result["error"] = describe_error(error)
    result["peak_memory_bytes"] = observe.read_peak_memory_bytes()
    result["observed"]["cgroup"]["memory_peak_bytes"] = read_memory_peak_bytes()
    return result


def _import_tensorflow(result: Dict[str, Any]) -> Any:
    started = time.perf_counter()
    tf = tensorflow_compat.load_tensorflow()
    result["seconds"]["import"] = time.perf_counter() - started
    result["versions"]["tensorflow"] = tensorflow_compat.tensorflow_version()
    result["versions"]["numpy"] = importlib.import_module("numpy").__version__
    result["mkl_enabled"] = tensorflow_compat.mkl_enabled()
    return tf


def _run(tf: Any, job: Job, result: Dict[str, Any], open_sessions: contextlib.ExitStack) -> None:
    if isinstance(job, GemmJob):
        result["stopped_by"] = measure_gemm(
            tf,
            job.sizes,
            job.repeats,
            job.time_limit_seconds,
            job.intra_op_threads,
            job.inter_op_threads,
            result["gemm"],
        )
    else:
        _train(tf, job, result, open_sessions)


def _train(tf: Any, job: TrainJob, result: Dict[str, Any], open_sessions: contextlib.ExitStack) -> None:
    from workload.synthetic import make_batch
    from workload.topologies import CLASSES, TOPOLOGIES
    from workload.training import build_training_graph, open_session, step_call

    seconds = result["seconds"]
    started = time.perf_counter()
    built = build_training_graph(tf, job.topology, job.batch_size, job.layout, job.seed)
    seconds["graph_build"] = time.perf_counter() - started
    result["parameters"] = built.parameters
    result["training_flops_per_step"] = built.training_flops

    started = time.perf_counter()
    image_size = TOPOLOGIES[job.topology].image_size
    batch = make_batch(job.batch_size, image_size, CLASSES, job.layout, job.seed)
    session = open_session(tf, built, batch, job.intra_op_threads, job.inter_op_threads)
    open_sessions.callback(session.close)
    del batch
    call = step_call(session, built)
    seconds["initialise"] = time.perf_counter() - started

    steps: List[Step] = []
    try:
        result["stopped_by"] = run_phases(call, job.warmup_steps, job.timed_steps, job.time_limit_seconds, steps)
    finally:
        result["steps"] = [dict(step._asdict()) for step in steps]
        seconds["first_step"] = steps[0].seconds if steps else None


def _collect_evidence(result: Dict[str, Any]) -> None:
    found = evidence.collect_evidence()
    package_folder = tensorflow_compat.tensorflow_package_folder()
    found["wheel"] = None if package_folder is None else wheel.read_wheel(package_folder)
    result["evidence"] = found
    result["observed"]["omp_max_threads"] = evidence.read_omp_max_threads(found["mapped_libraries"])
