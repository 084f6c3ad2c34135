"""The outside parties: one folder each, one port for all."""
