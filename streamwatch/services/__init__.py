"""What a blueprint, a job or a command calls: one class a use area, on the ports alone."""
