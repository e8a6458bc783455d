"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same every time", derandomize=True)
if "CI" in os.environ:
    # a person's runs look for new examples; a gate must not depend on the day
    settings.load_profile("same every time")
