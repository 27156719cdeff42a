"""Array libraries, one module each; see `tgrad.backends.numpy_`."""

from __future__ import annotations

silent = False
"""Whether NumPy's floating point warnings are turned off for good, in the whole process.

The command line, which owns its process, sets this before NumPy is loaded.  As a library tgrad
leaves NumPy's settings alone and turns the warnings off around its kernels: `tgrad.backends.quiet`.
"""
