#!/bin/sh
# The database first, then whatever is to run.
set -e
alembic upgrade head
exec "$@"
