"""Defaults, environment variables and the configuration file, read in this one place, at first use."""

from betterai.config.environment import load_config as load_config
