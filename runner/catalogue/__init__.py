"""What there is to choose from, read from data files.

Stacks, presets, publications, the user's own topology, and the workload's sources.
"""
