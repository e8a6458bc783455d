"""The command line with a promise taken out of its journals: `python defective.py DEFECT VERB ...`."""

from __future__ import annotations

import sys

from gateway_defects import GATEWAY_DEFECTS
from journal_defects import DEFECTS

from triaxis.cli.main import main

if __name__ == "__main__":
    (DEFECTS | GATEWAY_DEFECTS)[sys.argv.pop(1)]()
    main()
