"""Verbs of the command line, grouped by what they are for; `weir.cli` adds each group."""
