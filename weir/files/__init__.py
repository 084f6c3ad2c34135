"""A stretch of the log in files: Parquet with the exact bytes and typed columns, and a manifest.

`export` writes them from Kafka, `weir.replay.folder` reads them as a replay reads Kafka, and
`bring` writes what came from outside into an empty Kafka. Lines of JSON are read by turning them
into the same form first.
"""
