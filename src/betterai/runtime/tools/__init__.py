"""Functions as tools, and the loop of a model with them: ask, run what it calls, go on until it has answered."""
