"""HTTP in and out: load, build the form, call one service, answer."""
