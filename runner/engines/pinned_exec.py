"""A script for a child process: it sets the CPU affinity, ties its life to the runner's, then execs a command.

It is run with `python -I -S` and uses the standard library only. It imports nothing of the kit, so that no code of the
kit runs in the process that is measured. The kernel keeps CPU affinity and the death signal across exec
(sched_setaffinity(2), PR_SET_PDEATHSIG(2const)).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Take PARENT_PID CPU,CPU,... COMMAND ARGUMENT... and become the command. Does not return unless exec fails."""
    parent, cpus, command = int(arguments[0]), arguments[1], arguments[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # the runner ended before the death signal was set
        sys.exit("the runner is gone")
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    os.execve(command[0], command, dict(os.environ))


if __name__ == "__main__":
    main(sys.argv[1:])
