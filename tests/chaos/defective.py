"""The command line with a promise taken out of its journal: `python defective.py DEFECT VERB ...`."""

from __future__ import annotations

import sys

from journal_defects import DEFECTS

from triaxis.cli.main import main

if __name__ == "__main__":
    DEFECTS[sys.argv.pop(1)]()
    main()
