"""What StreamWatch knows and the rules by which it learns: standard library only, no I/O."""
