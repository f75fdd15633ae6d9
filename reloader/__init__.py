"""reloader: a hot-reload file watcher and process supervisor for any language."""

__version__ = "0.1.0"
