"""One module a kind of target. `base` has what they share."""
