"""Reads what a user can choose from, from data files.

These are stacks, presets, publications, the user's own topology, and the workload's sources.
"""
