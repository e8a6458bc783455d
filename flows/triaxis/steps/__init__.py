"""The stages of an evaluation, usable with no orchestrator."""
