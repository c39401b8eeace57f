"""Health, diagnostics and metrics."""
