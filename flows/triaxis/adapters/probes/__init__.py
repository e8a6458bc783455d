"""The probe's client, and the process of its own that sends."""
