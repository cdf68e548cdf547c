"""`python -m tests.crash --kills 1000`: the long form of the crash suite."""

import sys

from tests.crash.command import main

if __name__ == "__main__":
    sys.exit(main())
