"""Processes of a whole site are killed at random, round after round; nothing may be lost by it."""
