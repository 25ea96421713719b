"""Lets the folder itself be started (`python images/workload`) by putting its parent on the module search path.

It must not import TensorFlow or numpy, directly or through another module, before the command line is read.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from workload.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
