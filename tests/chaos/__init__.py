"""Random runs of the real program against the real system: `make chaos`."""
