"""The soak: hours of bad days in minutes. `python -m benchmarks.soak`."""
