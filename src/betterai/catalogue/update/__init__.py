"""What builds each vendor's `models.json`: never imported in normal use.

Sources, fetched by `fetch.py`, are read into models by vendor and id (`litellm.py`, `genai_prices.py`,
`models_dev.py`), laid over each other (`merge.py`), corrected by hand (`overlay.py`), checked (`check.py`) and written,
all files or none (`write.py`). `run.py` is the whole of it.
"""
