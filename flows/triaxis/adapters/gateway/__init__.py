"""OpenAI's files and batches API in front of a server that has none."""
