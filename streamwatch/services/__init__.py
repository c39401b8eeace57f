"""The services that blueprints, jobs and commands call. They know the ports, not the adapters."""
