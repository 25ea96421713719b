"""Modules that every other package may use. They are independent of the experiment.

They are for files, TOML tables, disk space, the machine's lock, the package index, the kit's revision, and the way in
which values are written.
"""
