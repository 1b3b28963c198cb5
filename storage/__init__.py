"""The only place that writes SQL. Imports nothing else of the product."""
