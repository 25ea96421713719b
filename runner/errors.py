"""Failures a person can act on: one class for each kind, with its own exit code. Knows nothing of what failed.

A message is one paragraph: what was being done, what was found, what was expected, what to do next.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_SOME_CELLS_FAILED = 1
EXIT_USAGE = 2
EXIT_HOST = 3
EXIT_INTERRUPTED = 130


class KitError(Exception):
    """A failure that ends the command with `exit_code` and its message, without a traceback."""

    exit_code = EXIT_SOME_CELLS_FAILED


class UsageError(KitError):
    """The command line, or a file named on it, asks for something that does not exist or makes no sense."""

    exit_code = EXIT_USAGE


class HostError(KitError):
    """This host or environment cannot do what was asked: engine, interpreter, network, disk, CPU, C library."""

    exit_code = EXIT_HOST


class DiskError(HostError):
    """A filesystem has too little room, or ran full while being written."""


class RunLockedError(HostError):
    """Another run is measuring on this machine at this moment."""


class RegistryError(HostError):
    """An image registry cannot be reached, lets nobody in, or has not what was asked of it."""


class DigestError(HostError):
    """An image is not the one that its digest, its lock or its tag promises."""


class RunFormatError(UsageError):
    """A results folder cannot be read: not a run, damaged, or of a newer schema."""
