"""A server on loopback that fails in every way that is known, the table of its faults, and the matrix over both."""
