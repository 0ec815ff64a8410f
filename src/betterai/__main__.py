"""`python -m betterai`: the command line."""

import sys

from betterai.cli import main

if __name__ == "__main__":
    sys.exit(main())
