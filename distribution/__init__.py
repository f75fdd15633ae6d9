"""All that a release consists of, made from this checkout: `make dist`, `make release`."""
