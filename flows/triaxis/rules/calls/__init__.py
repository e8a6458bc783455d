"""Calls to models: what they may cost and did, how fast they go, what their replies and errors mean."""
