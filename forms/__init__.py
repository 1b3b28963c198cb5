"""Turn requests into value objects. Forms check shape; services decide meaning."""
