"""One or more runs as tidy pandas frames: launches, steps, speedups and evidence, for notebooks and for CSV files.

A run is named by its folder. Only this package and runner/report/side_by_side.py use pandas. Nothing that is measured,
judged or drawn depends on a frame. In a notebook that was started in the kit's folder:

    from runner.frames import evidence, launches, speedups, steps

    runs = ["results/sample"]  # as many as you have: every frame has a column with the run's name
    bars = speedups(*runs).query("baseline == 'stock' and candidate == 'intel'")
    print(bars.pivot(index="topology", columns=["run", "stack"], values="speedup"))
    timed = steps(*runs).query("counts and phase == 'timed'")
    print(timed.groupby(["stack", "variant", "topology"])["seconds"].describe())
    print(launches(*runs).query("counts").groupby(["stack", "variant"])["peak_memory_bytes"].max() / 1e9)
    print(evidence(*runs).query("passed == False")[["stack", "variant", "source", "text"]])

`help(speedups)`, and the same for the other three functions, lists the columns with their units.
"""

from runner.frames.tidy import evidence, launches, speedups, steps

__all__ = ["evidence", "launches", "speedups", "steps"]
