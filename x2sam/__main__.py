"""`python -m x2sam` is the `x2sam` command."""

import sys

from x2sam.cli import main

if __name__ == "__main__":
    sys.exit(main())
