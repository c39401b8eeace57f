"""Live events for Server-Sent Events and the dashboard."""
