"""Sweep orders as an outside bank connector pulls them: page by page, from where it was."""
