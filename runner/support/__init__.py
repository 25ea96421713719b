"""What every room may use and what knows nothing of the experiment.

Files, TOML tables, disk space, the machine's lock, the package index, the kit's own revision, how values are written.
"""
