"""What `perf stat` prints is read as counts between two times, and what it cannot count is told."""

from __future__ import annotations

import pytest

from runner.evidence.perf_output import counted_of

# As perf prints them: seconds since it began, count, unit, event, time counted in nanoseconds, percentage, metric.
FIRST = ("0.050100000;95.20;msec;task-clock;95200000;100.00;1.904;CPUs utilized",
         "0.050100000;7;;context-switches;95200000;100.00;73.529;/sec",
         "0.050100000;<not supported>;;cycles;0;100.00;;",
         "0.050100000;1200;;LLC-load-misses;95200000;50.00;;")  # fmt: skip
SECOND = ("0.100300000;96.00;msec;task-clock;96000000;100.00;1.920;CPUs utilized",
          "0.100300000;<not counted>;;LLC-load-misses;0;0.00;;")  # fmt: skip


def test_counts_are_placed_on_the_clock_by_the_line_that_came_with_the_least_delay() -> None:
    lines = [(1000.0601, line) for line in FIRST] + [(1000.1013, line) for line in SECOND]
    found = counted_of(lines, "perf version 6.1")
    assert (found.tool, found.error, found.user_only) == ("perf version 6.1", None, False)
    first, second = found.intervals
    assert [first.began, first.ended] == pytest.approx([1000.001, 1000.0511])
    assert [second.began, second.ended] == pytest.approx([1000.0511, 1000.1013])
    assert first.counts == {"task-clock": 95.2, "context-switches": 7.0, "cycles": None, "LLC-load-misses": 1200.0}
    assert second.counts == {"task-clock": 96.0, "LLC-load-misses": None}


def test_what_a_user_without_permission_counts_is_his_own_programs_alone() -> None:
    """perf then says so behind the event's name, and prints 0 for what happens in the kernel."""
    for cycles in ("cycles:u", "cpu_core/cycles/u", "cycles:Hu"):
        lines = ["0.05;0;;context-switches:u;1;100.00;;", f"0.05;99;;{cycles};1;100.00;;"]
        found = counted_of([(1.0, line) for line in lines], "perf")
        assert found.user_only
        assert found.intervals[0].counts == {"context-switches": None, "cycles": 99.0}


def test_the_kinds_of_core_of_a_hybrid_processor_are_added_up() -> None:
    lines = [f"0.05;{count};;{kind}/cycles/;1;100.00;;" for count, kind in ((5, "cpu_core"), (7, "cpu_atom"))]
    found = counted_of(
        [(1.0, line) for line in (*lines, "0.05;<not counted>;;cpu_atom/instructions/;0;0.00;;")], "perf"
    )
    assert found.intervals[0].counts == {"cycles": 12.0, "instructions": None}


def test_what_perf_says_instead_of_counting_is_the_error() -> None:
    said = ["print interval < 100ms. The overhead percentage could be high in some cases. Please proceed with caution.",
            "Error:", "Access to performance monitoring and observability operations is limited.",
            "Consider adjusting /proc/sys/kernel/perf_event_paranoid setting"]  # fmt: skip
    found = counted_of([(1.0, line) for line in said], "perf version 6.1")
    assert found.intervals == ()
    assert found.error == "Access to performance monitoring and observability operations is limited."
    assert counted_of([], None).error == "perf printed nothing"
