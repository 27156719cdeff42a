"""`python -m tgrad`: the same as the command `tgrad`."""

import sys

from tgrad.cli import main

sys.exit(main())
