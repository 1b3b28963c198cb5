"""The background process: the only caller of Zoom and of the mail server in normal operation."""
