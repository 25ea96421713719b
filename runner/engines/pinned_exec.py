"""Started as a script in a child process: takes its CPUs, ties its life to the runner's, then becomes the command.

Standard library only, and run with `python -I -S`: it imports nothing of the kit, so that nothing of the kit runs in
the process that is measured. The kernel keeps CPU affinity and the death signal across exec (sched_setaffinity(2),
PR_SET_PDEATHSIG(2const)).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """PARENT_PID CPU,CPU,... COMMAND ARGUMENT...: never returns if all goes well."""
    parent, cpus, command = int(arguments[0]), arguments[1], arguments[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # the runner died before the line above took hold
        sys.exit("the runner is gone")
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    os.execve(command[0], command, dict(os.environ))


if __name__ == "__main__":
    main(sys.argv[1:])
