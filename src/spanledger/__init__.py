"""A flight recorder with brakes for LLM agents, built on OpenTelemetry."""
