"""Emotions over HTTP."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel
from sqlalchemy import text

from app.db import engine

GREETING = "Change me and save."
LOG = os.path.join(os.environ.get("LOG_DIR", "/var/log/api"), "app.log")

handlers: list[logging.Handler] = [logging.StreamHandler()]
try:
    handlers.append(logging.FileHandler(LOG))
except PermissionError:
    print(f"No log file, for user {os.getuid()} may not write {LOG}: chmod 777 data/logs")
logging.basicConfig(
    level=os.environ.get("LOG_LEVEL", "info").upper(),
    format="%(levelname)s %(name)s: %(message)s",
    handlers=handlers,
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="EmotionVisualizer", lifespan=lifespan)
app.add_middleware(CORSMiddleware, allow_origins=os.environ.get("ALLOWED_ORIGINS", "").split(","))


class Emotion(BaseModel):
    name: str


@app.get("/")
def greeting() -> dict[str, str]:
    return {"greeting": GREETING, "log_level": logging.getLevelName(logging.root.level)}


@app.get("/health")
async def health() -> dict[str, str]:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return {
        "status": "healthy",
        "database": engine.dialect.name,
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


@app.get("/emotions")
async def emotions() -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT name FROM emotions ORDER BY id")))


@app.post("/emotions", status_code=201)
async def feel(emotion: Emotion) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO emotions (name) VALUES (:name)"), [dict(emotion)]
        )
