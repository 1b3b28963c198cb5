"""Measures the site against a bare Flask app in the same run: `python -m bench`."""
