"""Models behind their port: LiteLLM, and our own wire to what speaks OpenAI's."""
