"""Simulates runs by turns and counts how often the kit's intervals hold the truth. `make bench-stats` prints the table.

The orders are those of the plan (runner/planning/plan.py). The intervals are those of runner/stats: Student's quantiles
come from there, and a test holds the rest, which is written for whole arrays here, against it on examples.
"""
