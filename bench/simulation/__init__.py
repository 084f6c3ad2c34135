"""The whole way of money in one process: seeded lives of one desk in which everything goes wrong.

    python -m bench.simulation --runs 100000 [--seed N] [--bug NAME]

The nodes are those of `streams/topology.py` over tables in memory, the runner's decisions and the
connector are the real ones; log, workers, clocks, people and venue are simulated. One seed is one
life, the same on every machine. The venue keeps books of its own, and only they say what happened.

    swarm     what this life has to bear, drawn from its seed
    agenda    the one clock, and what comes next
    parts     nodes and workers: transactions, crashes, takeovers, records that come twice
    process   the executor's threads, which may outlive their worker
    venue     requests on their way, and what becomes of them; `books` what really moved
    outside   profits, loan and wallet readings, pauses, policies, people
    judge     the venue's books against the word of Weir
    bugs      faults planted on purpose: the judge finds each of them
"""
