"""Malformed programs and what is wrong with them."""

SAMPLES: tuple[tuple[str, tuple[str, ...]], ...] = ()
