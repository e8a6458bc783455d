"""The command line with a promise taken out of it: `python defective.py DEFECT VERB ...`."""

from __future__ import annotations

import sys

from batch_defects import BATCH_DEFECTS
from gateway_defects import GATEWAY_DEFECTS
from journal_defects import DEFECTS

from triaxis.cli.main import main

if __name__ == "__main__":
    (DEFECTS | GATEWAY_DEFECTS | BATCH_DEFECTS)[sys.argv.pop(1)]()
    main()
