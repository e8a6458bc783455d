"""Parquet: all that knows pyarrow."""
