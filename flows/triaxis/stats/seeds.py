"""Random generators that depend on names only, so that the same evidence gives the same scorecard."""

from __future__ import annotations

from hashlib import sha256

import numpy as np


def generator(*parts: str) -> np.random.Generator:
    """A generator of its own for the thing that `parts` name, such as a variant, a dimension and a purpose.

    The stream is PCG64's, which numpy keeps the same across versions and platforms, seeded by a hash: adding a variant
    moves nobody else's draws.
    """
    digest = sha256("|".join(parts).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
