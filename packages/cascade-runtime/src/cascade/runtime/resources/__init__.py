"""Resources while they are open: the `scope` that opens and closes them."""
