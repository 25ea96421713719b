"""Measures square single-precision matrix products: the host's practical peak, which training is compared with.

It must not know jobs or results.
"""

import time
from typing import Any, Dict, List, Optional, Sequence

from workload.stepping import TimeLimitError


def measure_gemm(
    tf: Any,
    sizes: Sequence[int],
    repeats: int,
    time_limit_seconds: Optional[float],
    intra_op_threads: int,
    inter_op_threads: int,
    measured: List[Dict[str, Any]],
) -> str:
    """Append one entry for each size to `measured`; return what stopped the measurement, "steps" or "time_limit".

    An entry has "size", the "seconds" of every repeat after one warm-up, and "gflops_per_second" of the best repeat.
    The time limit counts from the start of the first product and is checked between products.

    Raises:
        TimeLimitError: the limit was reached before one repeat of the first size had ended.
    """
    config = tf.ConfigProto(
        intra_op_parallelism_threads=intra_op_threads, inter_op_parallelism_threads=inter_op_threads
    )
    deadline = None if time_limit_seconds is None else time.perf_counter() + time_limit_seconds
    for size in sizes:
        seconds = _time_product(tf, config, size, repeats, deadline)
        if seconds:
            best = 2.0 * size**3 / min(seconds) / 1e9
            measured.append({"size": size, "seconds": seconds, "gflops_per_second": best})
        if len(seconds) < repeats:
            break
    if not measured:
        raise TimeLimitError("the time limit of {} s came before the first product".format(time_limit_seconds))
    return "steps" if len(measured) == len(sizes) and len(measured[-1]["seconds"]) == repeats else "time_limit"


def _time_product(tf: Any, config: Any, size: int, repeats: int, deadline: Optional[float]) -> List[float]:
    """Return the seconds of each product. The operands are variables, so that no product is folded into a constant."""
    with tf.Graph().as_default() as graph:
        left, right = (
            tf.get_variable(name, initializer=tf.random_uniform([size, size], -1.0, 1.0, seed=seed))
            for seed, name in enumerate(("left", "right"), start=1)
        )
        product = tf.matmul(left, right).op
        initialise = tf.global_variables_initializer()
    seconds: List[float] = []
    with tf.Session(graph=graph, config=config) as session:
        session.run(initialise)
        call = session.make_callable(product)
        for repeat in range(-1, repeats):  # -1 is the warm-up
            if deadline is not None and time.perf_counter() >= deadline:
                break
            started = time.perf_counter()
            call()
            ended = time.perf_counter()
            if repeat >= 0:
                seconds.append(ended - started)
    return seconds
