"""Failures that a person can act on: one class for each kind, with an exit code. Imports nothing of the kit.

A message is one paragraph. It says what was being done, what was found, what was expected, and what to do next.
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
    """The command line, or a file that it names, asks for something that does not exist or is not possible."""

    exit_code = EXIT_USAGE


class HostError(KitError):
    """This host or environment cannot do what was asked: engine, interpreter, network, disk, CPU, C library."""

    exit_code = EXIT_HOST


class DiskError(HostError):
    """A filesystem has too little free space, or became full while a file was written."""


class RunLockedError(HostError):
    """Another run is measuring on this machine at this moment."""


class RegistryError(HostError):
    """An image registry cannot be reached, refuses the login, or does not have what was requested."""


class DigestError(HostError):
    """An image is not the one that its digest, its images lock or its tag identifies."""


class RunFormatError(UsageError):
    """A results folder cannot be read: not a run, damaged, or of a newer schema."""
