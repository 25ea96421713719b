"""The pin of a run that is repeated on another host."""

from __future__ import annotations

import pytest

from runner.errors import HostError
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine, read_machine
from runner.storage.repetition import pin_like
from tests.runner.sysroots import Host, TreeRoot, isolated, tree


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


def recorded(*cpus: int) -> Pin:
    """A pin on a host of eight even CPUs."""
    return choose_pin(read(Host(cores=8)), cpus=frozenset(cpus))


def test_the_recorded_cpus_are_taken_where_they_are() -> None:
    """Where they are not, as many cores are taken, or as many as the host has."""
    assert pin_like(recorded(2, 3), read(Host(cores=8))).cpus == (2, 3)
    assert pin_like(recorded(6, 7), read(Host(cores=4))).cpus == (0, 1)
    assert pin_like(recorded(*range(8)), read(Host(cores=4))).cpus == (0, 1, 2, 3)


def test_cpus_that_are_isolated_here_alone_were_named_by_nobody() -> None:
    """A record's list names CPUs of its own host; where they were isolated there too, it names isolated ones."""
    here = read(isolated(None))
    assert pin_like(recorded(4, 5), here).cpus == (0, 1)
    assert pin_like(recorded(*range(8)), here).cpus == (0, 1, 2, 3)
    assert pin_like(recorded(4, 5), here, frozenset({4, 5, 6, 7})).cpus == (4, 5)


def test_where_all_are_isolated_a_repetition_is_refused() -> None:
    """A new run without named CPUs is refused there too."""
    with pytest.raises(HostError, match="isolated"):
        pin_like(recorded(4, 5), read(isolated(frozenset({4, 5, 6, 7}))))
