"""The host as data, read from /proc and /sys below a root folder, which can also be a captured tree.

The package knows nothing of launches.
"""

from runner.machine.cpuinfo import Processor
from runner.machine.cpulist import format_cpu_list, parse_cpu_list, parse_cpu_mask
from runner.machine.model import Machine, conditions
from runner.machine.read import read_machine
from runner.machine.readings import facts
from runner.machine.sysroot import Sysroot
from runner.machine.topology import Core, LogicalCpu

__all__ = [
    "Core",
    "LogicalCpu",
    "Machine",
    "Processor",
    "Sysroot",
    "conditions",
    "facts",
    "format_cpu_list",
    "parse_cpu_list",
    "parse_cpu_mask",
    "read_machine",
]
