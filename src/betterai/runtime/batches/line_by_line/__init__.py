"""Batches where no endpoint works on them: lines are asked one by one, from a table that outlives the process."""
