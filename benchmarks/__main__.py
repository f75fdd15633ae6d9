"""`python -m benchmarks` is `python -m benchmarks.latency`."""

from benchmarks.latency import main

main()
