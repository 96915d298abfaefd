"""One file an executor: `run(job, numbers, workers) -> iterator` decides where `job(number)` runs, nothing else.

`job` is a picklable function of a shard's number that writes the shard itself; results come in any order.
"""
