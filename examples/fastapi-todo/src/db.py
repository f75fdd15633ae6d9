"""The database: any that DATABASE_URL names, else a file beside us."""

import os

from sqlalchemy.ext.asyncio import create_async_engine

URL = os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///todo.db")
SIZE = (
    {}
    if URL.startswith("sqlite")
    else {"pool_size": int(os.environ.get("SQLALCHEMY_POOL_SIZE", "10"))}
)

engine = create_async_engine(URL, pool_pre_ping=True, **SIZE)
