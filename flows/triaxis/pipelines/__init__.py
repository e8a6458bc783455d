"""Prefect flows: fan-out, retries, schedules, artifacts."""
