"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# No example has a deadline: the first one may import a library, on a machine that is busy.
settings.register_profile("without a clock", deadline=None)
settings.register_profile("same every time", deadline=None, derandomize=True)
# a person's runs look for new examples; a gate must not depend on the day
settings.load_profile("same every time" if "CI" in os.environ else "without a clock")
