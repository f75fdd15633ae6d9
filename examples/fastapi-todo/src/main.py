"""Things to do, over HTTP."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from src.db import engine

GREETING = "Change me and save."
REQUESTS = Counter("todo_requests_total", "Requests so far.", ["method", "status"])


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Todo", lifespan=lifespan)
app.add_middleware(CORSMiddleware, allow_origins=os.environ.get("CORS_ORIGINS", "").split(","))


@app.middleware("http")
async def count(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await go_on(request)
    REQUESTS.labels(request.method, response.status_code).inc()
    return response


class Todo(BaseModel):
    title: str


def trusted(authorization: Annotated[str, Header()] = "") -> None:
    token = os.environ.get("SERVICE_AUTH_TOKEN")
    if token and authorization != f"Bearer {token}":
        raise HTTPException(401)


@app.get("/")
def greeting() -> dict[str, str]:
    return {"greeting": GREETING, "environment": os.environ.get("ENVIRONMENT", "")}


@app.get("/health")
async def health() -> dict[str, str]:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return {"status": "healthy", "database": engine.dialect.name}


@app.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.get("/todos")
async def todos() -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT title FROM todos ORDER BY id")))


@app.post("/todos", status_code=201, dependencies=[Depends(trusted)])
async def add(todo: Todo) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO todos (title) VALUES (:title)"), [dict(todo)])
