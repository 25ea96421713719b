"""Carries a launch out: takes a decoded job and returns a result, also if the launch fails.

It must not import TensorFlow before it has observed what the process may use.
"""

import contextlib
import importlib
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from workload import evidence, observe, tensorflow_compat, wheel
from workload.cgroup import read_memory_high_events, read_memory_peak_bytes
from workload.cpu_time import measure_cpu_time
from workload.gemm import measure_gemm
from workload.graph import Folders, image_size, topology_of, training_graph
from workload.job import DescribeJob, GemmJob, Job, TrainJob, validate_job
from workload.memory_pages import read_memory_pages
from workload.result import describe_error, empty_result
from workload.stepping import Step, run_phases, run_steps, run_turns
from workload.topologies import CLASSES
from workload.tracing import trace_step
from workload.turns import Burst, Group


def carry_out(
    content: Any, folder: str = ".", turns_folder: Optional[str] = None, result_folder: Optional[str] = None
) -> Dict[str, Any]:
    """Run the job that `content`, a decoded JSON value, describes, and return the result. An error is in the result.

    `folder` is the job's folder, which also has a user's topology file. `turns_folder` has the FIFOs of its
    group, if it takes turns. `result_folder` takes the graph that a job wants to keep.
    """
    result = empty_result(content)
    result["observed"] = observe.observe(launch_id=result["launch_id"])
    held_up_before = read_memory_high_events()
    result["versions"] = wheel.versions()
    result["workload_sha256"] = wheel.workload_sha256()
    try:
        job = validate_job(content)
        result["observed"]["intra_op_threads"] = job.intra_op_threads
        result["observed"]["inter_op_threads"] = job.inter_op_threads
        group = _join(job, turns_folder)
        tf = _import_tensorflow(result)
        with contextlib.ExitStack() as open_sessions:  # kept open, because their threads are part of the evidence
            try:
                last_turn = _run(tf, job, Folders(folder, result_folder), result, open_sessions, group)
            finally:
                _collect_evidence(result)
            if group is not None and last_turn is not None:
                group.pass_on(last_turn)
    except Exception as error:  # noqa: BLE001  (a launch that fails has a result too)
        result["status"] = "error"
        result["error"] = describe_error(error)
    result["peak_memory_bytes"] = observe.read_peak_memory_bytes()
    result["observed"]["cgroup"]["memory_peak_bytes"] = read_memory_peak_bytes()
    result["observed"]["cgroup"]["memory_high_events"] = _counted_since(held_up_before, read_memory_high_events())
    return result


def _counted_since(before: Optional[int], after: Optional[int]) -> Optional[int]:
    return None if before is None or after is None else after - before


def _import_tensorflow(result: Dict[str, Any]) -> Any:
    started = time.perf_counter()
    tf = tensorflow_compat.load_tensorflow()
    result["seconds"]["import"] = time.perf_counter() - started
    result["versions"]["tensorflow"] = tensorflow_compat.tensorflow_version()
    result["versions"]["numpy"] = importlib.import_module("numpy").__version__
    result["mkl_enabled"] = tensorflow_compat.mkl_enabled()
    return tf


def _join(job: Job, folder: Optional[str]) -> Optional[Group]:
    """The launch's place in its group, taken before anything slow, so that the others can say that they are ready."""
    if not isinstance(job, TrainJob) or job.turns is None:
        return None
    return Group(folder, job.turns.member, job.turns.order)


def _run(
    tf: Any,
    job: Job,
    folders: Folders,
    result: Dict[str, Any],
    open_sessions: contextlib.ExitStack,
    group: Optional[Group],
) -> Optional[int]:
    """Carry out the job; return the number of the launch's last turn, which is still its own, if it takes turns."""
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
    elif isinstance(job, DescribeJob):
        _describe(tf, job, folders.job, result)
    else:
        return _train(tf, job, folders, result, open_sessions, group)
    return None


def _describe(tf: Any, job: DescribeJob, folder: str, result: Dict[str, Any]) -> None:
    from workload.describe import describe_topology

    topology, building = topology_of(job, folder, result)
    with building:
        result["description"] = describe_topology(tf, topology, job.layout, job.batch_size)


def _train(
    tf: Any,
    job: TrainJob,
    folders: Folders,
    result: Dict[str, Any],
    open_sessions: contextlib.ExitStack,
    group: Optional[Group],
) -> Optional[int]:
    from workload.first_step import first_pass
    from workload.synthetic import make_batch
    from workload.training import open_session, step_call

    built = training_graph(tf, job, folders, result)
    seconds = result["seconds"]
    started = time.perf_counter()

    def batch() -> Tuple[Any, Any]:
        return make_batch(job.batch_size, image_size(built), CLASSES, job.layout, job.seed)

    def begin() -> Any:
        opened = open_session(tf, built, batch(), job.intra_op_threads, job.inter_op_threads, job.graph_optimisation)
        open_sessions.callback(opened.close)
        return opened

    session = begin()
    result["observed"]["graph_optimisation"] = job.graph_optimisation
    call = step_call(session, built)
    seconds["initialise"] = time.perf_counter() - started

    steps: List[Step] = []
    bursts: List[Burst] = []
    first, last_turn = None, None
    first_step_began = time.monotonic()
    try:
        if job.fingerprinted:
            first = first_pass(session, built, job.layout, lambda: run_steps(call, "warmup", 1, steps), job.traced)
        if group is not None and job.turns is not None:
            result["stopped_by"], last_turn = run_turns(
                call,
                group,
                job.turns.burst_seconds,
                job.time_limit_seconds,
                steps,
                bursts,
                lambda: measure_cpu_time(result),
            )
        else:
            result["stopped_by"] = run_phases(
                call,
                job.warmup_steps,
                job.timed_steps,
                job.time_limit_seconds,
                steps,
                around_timed=lambda: measure_cpu_time(result),
                started=first_step_began,
            )
    finally:
        result["bursts"] = [dict(burst._asdict()) for burst in bursts]
        result["steps"] = [dict(step._asdict()) for step in steps]
        seconds["first_step"] = steps[0].seconds if steps else None
    if job.traced:
        traced = trace_step(tf, session, [built.train, built.loss])
        result["trace"], result["traced_step_seconds"] = traced.operations, traced.seconds
    if first:
        result["fingerprint"] = _fingerprint(job, built, first, session, begin, batch)
    return last_turn


def _fingerprint(
    job: TrainJob, built: Any, first: Any, session: Any, begin: Callable[[], Any], batch: Callable[[], Tuple[Any, Any]]
) -> List[List[Any]]:
    """Return the fingerprint of the first step. A quiet launch adds the sensitivity, from a second start."""
    from workload.fingerprint import to_json
    from workload.first_step import second_pass

    if not job.traced:
        return to_json(first.sketches)
    return to_json(first.sketches, second_pass(begin, session, built, job.layout, batch(), first))


def _collect_evidence(result: Dict[str, Any]) -> None:
    found = evidence.collect_evidence()
    package_folder = tensorflow_compat.tensorflow_package_folder()
    found["memory_pages"] = read_memory_pages()
    found["wheel"] = None if package_folder is None else wheel.read_wheel(package_folder)
    result["evidence"] = found
    result["observed"]["omp_max_threads"] = evidence.read_omp_max_threads(found["mapped_libraries"])
