"""The turns of launches that live together: one of them trains, the others are blocked in a read and burn nothing.

Every member of the group has the whole order in its job: who comes when, for how many steps. The turn passes from
member to member as a token, the number of the turn that is next, through one FIFO for each member in a folder that
all of them share. Nobody else has to act between two turns. A group of one member needs no folder.
It must not know TensorFlow, jobs or results.
"""

import contextlib
import os
import select
import time
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple, cast

Clock = Callable[[], float]

# `member` counts from 0; `phase` is warmup, timed, or end, which has no steps and is every member's last. `steps` is
# the fewest that are run.
Turn = NamedTuple("Turn", [("member", int), ("phase", str), ("steps", int)])

# What one turn took. `turn` is its number in the order. `began` and `ended` (seconds) are on the host's monotonic
# clock, which all members share. `idle_cpu_seconds` is the CPU time that this process used while it waited for the
# turn, None for its first. `settled_seconds` is how long its threads took to fall asleep after the last step, None if
# they did not.
Burst = NamedTuple(
    "Burst",
    [
        ("turn", int),
        ("phase", str),
        ("began", float),
        ("ended", float),
        ("idle_cpu_seconds", Optional[float]),
        ("settled_seconds", Optional[float]),
    ],
)

_READY = "ready"
# A process whose CPU clock moves by less than this share of the time is asleep but for the looking itself.
_ASLEEP = 0.05
_POLL_SECONDS = 0.004
_PATIENCE_SECONDS = 2.0
# A member that waits for its turn looks this often whether the others live. It costs some microseconds.
_LOOK_SECONDS = 5.0
# Between two looks whether another member has started. Nothing is timed then.
_GATHER_SECONDS = 0.02
# How long a member that is ready waits for another one's FIFO. Every member makes its FIFO before it imports
# TensorFlow, so that it is there long before.
_START_SECONDS = 120.0


class TurnError(Exception):
    """The folder of the turns is not as it should be, or a token came that is none."""


def fifo_name(member: int) -> str:
    """The name of a member's FIFO in the shared folder."""
    return "member-{}".format(member)


def _open_fifo(folder: str, member: int) -> int:
    """Make a member's FIFO and open it. It has its name only when it is open, so that others see a member that lives.

    It is opened for both, so that it neither waits for a writer nor ends when one leaves.
    """
    path = os.path.join(folder, fifo_name(member))
    hidden = "{}.new".format(path)
    with contextlib.suppress(FileNotFoundError):
        os.remove(hidden)
    os.mkfifo(hidden, 0o600)
    opened = os.open(hidden, os.O_RDWR)
    os.rename(hidden, path)
    return opened


class Group:
    """One member's place in a group. It makes its own FIFO, and opens it early so that the others can write to it.

    Raises:
        TurnError: the FIFO cannot be made, or there is no folder for more than one member.
    """

    def __init__(self, folder: Optional[str], member: int, order: Sequence[Turn]) -> None:
        self._member, self._order = member, tuple(order)
        self._unread = b""
        self._own: Optional[int] = None
        if len({turn.member for turn in self._order}) == 1:
            return
        if folder is None:
            raise TurnError("launches that take turns need --turns-dir, a folder that they share")
        self._folder = folder
        try:
            self._own = _open_fifo(folder, member)
        except OSError as error:
            path = os.path.join(folder, fifo_name(member))
            raise TurnError("cannot make the FIFO of member {}: {}: {}".format(member, path, error)) from error

    def mine(self) -> List[Tuple[int, Turn]]:
        """This member's turns, each with its number in the order."""
        return [(number, turn) for number, turn in enumerate(self._order) if turn.member == self._member]

    def follows_another(self, number: int) -> bool:
        """Whether the turn before this one is another member's."""
        return number > 0 and self._order[number - 1].member != self._member

    def gather(self) -> None:
        """Say that this member is ready; the member of the first turn waits until all others are.

        Raises:
            TurnError: another member is dead or does not start, or a token came that is none.
        """
        first, others = self._order[0].member, {turn.member for turn in self._order} - {self._member}
        for member in sorted(others):
            self._wait_for_start(member)
        if self._member != first:
            self._send(first, _READY)
            return
        for _ in others:
            self._expect(_READY, sorted(others))

    def wait_for(self, number: int) -> None:
        """Block until this turn has come, without using any CPU.

        Raises:
            TurnError: a token came that is none, or none can come any more, because another member is dead.
        """
        if self.follows_another(number):
            self._expect(str(number), self._needed_before(number))

    def pass_on(self, number: int) -> None:
        """Give the turn after this one to its member.

        Raises:
            TurnError: nobody has that member's FIFO open.
        """
        if number + 1 < len(self._order) and self._order[number + 1].member != self._member:
            self._send(self._order[number + 1].member, str(number + 1))

    def close(self) -> None:
        """Close the member's FIFO."""
        if self._own is not None:
            os.close(self._own)

    def _send(self, member: int, token: str) -> None:
        """Write a token. A member whose FIFO nobody has open is dead."""
        try:
            descriptor = self._open(member)
            try:
                os.write(descriptor, (token + "\n").encode("ascii"))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise TurnError("cannot pass the turn on to member {}: {}".format(member, error)) from error

    def _open(self, member: int) -> int:
        return os.open(os.path.join(self._folder, fifo_name(member)), os.O_WRONLY | os.O_NONBLOCK)

    def _wait_for_start(self, member: int) -> None:
        """Wait until a member has made its FIFO. Whether it still lives shows when something is sent to it."""
        path, until = os.path.join(self._folder, fifo_name(member)), time.monotonic() + _START_SECONDS
        while not os.path.exists(path):
            if not os.path.exists(os.path.join(self._folder, fifo_name(self._member))):
                raise TurnError("the FIFOs in {} are gone".format(self._folder))
            if time.monotonic() > until:
                raise TurnError("member {} has not started within {:.0f} s".format(member, _START_SECONDS))
            time.sleep(_GATHER_SECONDS)

    def _needed_before(self, number: int) -> List[int]:
        """The other members without which this turn cannot come: the one before it, and all that come after it."""
        return sorted({turn.member for turn in self._order[number - 1 :]} - {self._member})

    def _lives(self, member: int) -> bool:
        """Whether a member has its FIFO open."""
        try:
            os.close(self._open(member))
        except OSError:
            return False
        return True

    def _expect(self, token: str, needed: Sequence[int]) -> None:
        """Read a token. While none comes, look now and then whether the members that are `needed` still live.

        A member may have sent the token as its last act. So a token counts that came before its death was seen.
        """
        own, are_alive = cast(int, self._own), True
        while b"\n" not in self._unread:
            if select.select([own], [], [], _LOOK_SECONDS if are_alive else 0.0)[0]:
                self._unread += os.read(own, 4096)
            elif not are_alive:
                raise TurnError("a launch that has to take its turn with this one is dead")
            else:
                are_alive = all(self._lives(member) for member in needed)
        line, self._unread = self._unread.split(b"\n", 1)
        if line != token.encode("ascii"):
            raise TurnError("member {} expected the token {} and read {!r}".format(self._member, token, line))


def wait_until_asleep(
    cpu_clock: Clock = time.process_time, clock: Clock = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Optional[float]:
    """Wait until this process's CPU clock stands still; the seconds that took, or None if it spins on.

    An OpenMP thread that has no work spins for KMP_BLOCKTIME milliseconds before it sleeps: into the next member's
    turn, if the turn were passed on at once.
    """
    started = clock()
    while clock() - started < _PATIENCE_SECONDS:
        before, used = clock(), cpu_clock()
        sleep(_POLL_SECONDS)
        if cpu_clock() - used < _ASLEEP * (clock() - before):
            return before - started
    return None


def run_bursts(
    group: Group,
    run: Callable[[int, Turn], None],
    bursts: List[Burst],
    cpu_clock: Clock = time.process_time,
    clock: Clock = time.monotonic,
) -> int:
    """Run this member's turns but for the last, and append to `bursts` what each took; return the number of the last.

    The last turn has come when this returns, and is not passed on: in it a member collects its evidence, so that
    nobody else trains meanwhile.

    Raises:
        TurnError: the group has come apart.
    """
    (*turns, (last, _)) = group.mine()
    group.gather()
    asleep_since: Optional[float] = None
    for number, turn in turns:
        group.wait_for(number)
        idle = None if asleep_since is None else cpu_clock() - asleep_since
        began = clock()
        run(number, turn)
        ended = clock()
        bursts.append(Burst(number, turn.phase, began, ended, idle, wait_until_asleep(cpu_clock, clock)))
        asleep_since = cpu_clock()
        group.pass_on(number)
    group.wait_for(last)
    return last
