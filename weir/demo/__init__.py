"""The demo: a hedging day at high speed on a sandbox venue, and a judge who compares the books."""
