#!/bin/sh
# What the official image's entrypoint does with the variables that the examples set.
set -e
mkdir -p "$PGDATA" && chown postgres: "$PGDATA" && chmod 700 "$PGDATA"
user() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    echo "$POSTGRES_PASSWORD" >/tmp/password
    user initdb -N -U "${POSTGRES_USER:-postgres}" --pwfile=/tmp/password -A scram-sha-256 >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "local all all trust" >"$PGDATA/pg_hba.new" && cat "$PGDATA/pg_hba.conf" >>"$PGDATA/pg_hba.new"
    mv "$PGDATA/pg_hba.new" "$PGDATA/pg_hba.conf" && chown postgres: "$PGDATA/pg_hba.conf"
    if [ -n "$POSTGRES_DB" ] && [ "$POSTGRES_DB" != postgres ]; then
        echo "CREATE DATABASE \"$POSTGRES_DB\";" |
            user postgres --single -j -D "$PGDATA" postgres >/dev/null
    fi
fi
exec setpriv --reuid postgres --regid postgres --init-groups "$@" -c listen_addresses='*' \
    -c unix_socket_directories=/var/run/postgresql
