"""Weir over HTTP: what others push to it and pull from it.

One router for each file; `app.py` puts them together, `server.py` serves them (`weir web`). Whoever
asks shows a bearer token; what each token may do stands in the settings. Nothing here decides: a
write appends a record and answers 202.
"""
