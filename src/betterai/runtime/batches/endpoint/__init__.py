"""Batches that a vendor's endpoint works on: lines in files, parts that are submitted, answers that are read."""
