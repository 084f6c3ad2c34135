"""Benchmarks and campaigns: never timed tests. Each module is a command; its docstring says how to
call it.
"""
