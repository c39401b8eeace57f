"""`streamwatch dev`: everything on one machine, an embedded Valkey and a group of processes."""
