"""Stand-ins for the outside parties, as processes of their own with books of their own.

They import nothing of Weir: what they wrote down is the judge of what Weir did.
"""
