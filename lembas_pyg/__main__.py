"""``python -m lembas_pyg`` is the command line."""

import sys

from lembas_pyg.cli import main

sys.exit(main())
