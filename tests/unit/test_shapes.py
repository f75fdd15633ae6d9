"""Shapes of projects: a tiny tree each, and the command that a developer of it would type.

A wrong command is worse than none: where a person has to choose, the answer is "ask" with all of
them, and where nothing tells, "none".
"""

from __future__ import annotations

import json

import pytest

from reloader.detect.folder import Folder
from reloader.detect.project import look

ASK, NONE = "ask", "none"

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
MAIN = "if __name__ == '__main__':\n    print('on')\n"
MANAGE = "import django\nfrom django.core.management import execute_from_command_line\n"
GO = "package main\n\nfunc main() {}\n"
MOD = "module example.com/shop\n\ngo 1.22\n"
RS = "fn main() {}\n"
LISTEN = "require('http').createServer().listen(3000)\n"
POM = "<project><artifactId>shop</artifactId><version>1.0</version>{}</project>"
BOOT = "<build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>"
JAVA = "package com.shop;\n\npublic class Main {\n  public static void main(String[] args) {}\n}\n"


def package(scripts=None, dependencies=(), **more):
    table = {
        "name": "shop",
        "scripts": scripts or {},
        "dependencies": dict.fromkeys(dependencies, "*"),
    }
    return json.dumps(table | more)


def cargo(name="shop", more=""):
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\n{more}'


PY = "python"
SHAPES = {
    # --- Python, web
    "fastapi": ({"main.py": FASTAPI}, f"{PY} -m uvicorn main:app"),
    "fastapi by its package": (
        {"main.py": "import fastapi\n\napi = fastapi.FastAPI(title='x')\n"},
        f"{PY} -m uvicorn main:api",
    ),
    "fastapi in a package": (
        {"app/__init__.py": "", "app/main.py": FASTAPI, "requirements.txt": "fastapi"},
        f"{PY} -m uvicorn app.main:app",
    ),
    "fastapi in src": (
        {"src/svc/main.py": FASTAPI, "src/svc/__init__.py": "", "pyproject.toml": ""},
        f"{PY} -m uvicorn svc.main:app --app-dir src",
    ),
    "fastapi in src, without a package": (
        {"src/main.py": FASTAPI, "requirements.txt": ""},
        f"{PY} -m uvicorn main:app --app-dir src",
    ),
    "fastapi in src, imported as src": (
        {
            "src/main.py": "from src.db import x\n" + FASTAPI,
            "src/db.py": "",
            "requirements.txt": "",
        },
        f"{PY} -m uvicorn src.main:app",
    ),
    "fastapi in backend": (
        {"backend/app/main.py": FASTAPI, "backend/app/__init__.py": "", "README.md": ""},
        f"{PY} -m uvicorn app.main:app --app-dir backend",
    ),
    "fastapi in backend, a project of its own": (
        {
            "backend/app/main.py": "from app.db import x\n" + FASTAPI,
            "backend/app/db.py": "",
            "backend/requirements.txt": "",
            "compose.yaml": "services:\n",
        },
        f"{PY} -m uvicorn app.main:app (in backend)",
    ),
    "fastapi factory": (
        {
            "shop/__init__.py": "",
            "shop/app.py": "from fastapi import FastAPI\n\n\ndef create_app(\n    debug: bool = False,\n) -> FastAPI:\n    app = FastAPI()\n    return app\n",
        },
        f"{PY} -m uvicorn shop.app:create_app --factory",
    ),
    "fastapi factory that is called": (
        {
            "shop/__init__.py": "",
            "shop/app.py": "from fastapi import FastAPI\n\ndef create_app(settings):\n    return FastAPI()\n",
            "main.py": "from shop.app import create_app\nfrom shop import settings\napp = create_app(settings)\n",
        },
        f"{PY} -m uvicorn main:app",
    ),
    "fastapi with uvicorn.run": (
        {
            "main.py": FASTAPI
            + "import uvicorn\n"
            + MAIN.replace(
                "print('on')", 'uvicorn.run("main:app", host="0.0.0.0", port=8080, reload=True)'
            )
        },
        f"{PY} -m uvicorn main:app --host 0.0.0.0 --port 8080",
    ),
    "fastapi with parts": (
        {
            "app/main.py": FASTAPI + "from app.v1 import v1\n",
            "app/v1.py": "from fastapi import FastAPI\nv1 = FastAPI()\n",
        },
        f"{PY} -m uvicorn app.main:app",
    ),
    "fastapi in a comment only": (
        {"main.py": '"""\napp = FastAPI()\n"""\nimport fastapi_client\n' + MAIN},
        f"{PY} main.py",
    ),
    "uv": (
        {"main.py": FASTAPI, "uv.lock": "", "pyproject.toml": ""},
        "uv run python -m uvicorn main:app",
    ),
    "poetry": (
        {"app.py": FLASK, "poetry.lock": ""},
        "poetry run python -m flask --app app run --debug --no-reload",
    ),
    "a virtual environment": (
        {"main.py": FASTAPI, ".venv/bin/python": ""},
        ".venv/bin/python -m uvicorn main:app",
    ),
    "starlette": (
        {"main.py": "from starlette.applications import Starlette\napp = Starlette(routes=[])\n"},
        f"{PY} -m uvicorn main:app",
    ),
    "litestar": (
        {"app.py": "from litestar import Litestar, get\n\napp = Litestar([])\n"},
        f"{PY} -m uvicorn app:app",
    ),
    "quart": (
        {"app.py": "from quart import Quart\napp = Quart(__name__)\n"},
        f"{PY} -m quart --app app:app run",
    ),
    "sanic": (
        {"server.py": "from sanic import Sanic\napp = Sanic('x')\n"},
        f"{PY} -m sanic server:app --single-process",
    ),
    "aiohttp": (
        {
            "server.py": "from aiohttp import web\n\napp = web.Application()\nif __name__ == '__main__':\n    web.run_app(app)\n"
        },
        f"{PY} server.py",
    ),
    "flask": ({"app.py": FLASK}, f"{PY} -m flask --app app run --debug --no-reload"),
    "flask with its own debugger": (
        {"app.py": FLASK + "if __name__ == '__main__':\n    app.run(debug=True, port=5001)\n"},
        f"{PY} -m flask --app app run --debug --no-reload --port 5001",
    ),
    "flask with a .flaskenv": (
        {"web.py": FLASK, ".flaskenv": "FLASK_APP=web.py\nFLASK_RUN_PORT=5055\n"},
        f"{PY} -m flask run --debug --no-reload",
    ),
    "flask factory": (
        {
            "shop/__init__.py": "from flask import Flask\n\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n"
        },
        f"{PY} -m flask --app shop run --debug --no-reload",
    ),
    "flask factory that wsgi.py calls": (
        {
            "shop/__init__.py": "from flask import Flask\n\ndef create_app(name):\n    return Flask(name)\n",
            "wsgi.py": "from shop import create_app\n\napp = create_app('dev')\n",
        },
        f"{PY} -m flask --app wsgi run --debug --no-reload",
    ),
    "django": (
        {"manage.py": MANAGE, "site/settings.py": ""},
        f"{PY} manage.py runserver --noreload",
    ),
    "django one directory down": (
        {"backend/manage.py": MANAGE, "backend/shop/settings.py": "", "requirements.txt": "django"},
        f"{PY} backend/manage.py runserver --noreload",
    ),
    "streamlit": (
        {
            "app.py": "import streamlit as st\n\nst.title('x')\n",
            "pages/one.py": "import streamlit as st\n",
        },
        f"{PY} -m streamlit run app.py",
    ),
    "gradio": (
        {
            "app.py": "import gradio as gr\n\ndemo = gr.Interface(len, 'text', 'text')\ndemo.launch()\n"
        },
        f"{PY} app.py",
    ),
    "dash": (
        {
            "app.py": "from dash import Dash\n\napp = Dash(__name__)\nif __name__ == '__main__':\n    app.run(debug=True)\n"
        },
        f"{PY} app.py",
    ),
    # --- Python, the rest
    "celery module": (
        {"tasks.py": "from celery import Celery\n\napp = Celery('tasks')\n"},
        f"{PY} -m celery -A tasks worker --loglevel=info --pool=solo",
    ),
    "celery package": (
        {
            "proj/__init__.py": "",
            "proj/celery.py": "from celery import Celery\n\napp = Celery('proj')\n",
        },
        f"{PY} -m celery -A proj worker --loglevel=info --pool=solo",
    ),
    "dramatiq": (
        {"actors.py": "import dramatiq\n\n@dramatiq.actor\ndef work():\n    pass\n"},
        f"{PY} -m dramatiq actors",
    ),
    "script": ({"app.py": MAIN}, f"{PY} app.py"),
    "bot": (
        {"bot.py": "import asyncio\n\nasyncio.run(main())\n", "requirements.txt": ""},
        f"{PY} bot.py",
    ),
    "script and its parts": (
        {"main.py": "import app\n" + MAIN, "app.py": MAIN, "util.py": ""},
        f"{PY} main.py",
    ),
    "two scripts": ({"fetch.py": MAIN, "report.py": MAIN}, ASK),
    "package": ({"shop/__init__.py": "", "shop/__main__.py": "print()"}, f"{PY} -m shop"),
    "package in src with [project.scripts]": (
        {
            "src/mypkg/__main__.py": "from mypkg.cli import main\nmain()\n",
            "src/mypkg/__init__.py": "",
            "src/mypkg/cli.py": "def main(): ...\n",
            "pyproject.toml": "[project]\nname = 'mypkg'\n[project.scripts]\nmypkg = 'mypkg.cli:main'\n",
        },
        f"PYTHONPATH=src {PY} -m mypkg",
    ),
    "[project.scripts] without a main part": (
        {
            "tool/__init__.py": "",
            "tool/cli.py": "def main(): ...\n",
            "pyproject.toml": "[project]\nname = 'x'\nscripts = {tool = 'tool.cli:main'}\n",
        },
        f"{PY} -c 'from tool.cli import main; main()'",
    ),
    "library": (
        {
            "src/lib/__init__.py": "",
            "pyproject.toml": "[project]\nname = 'lib'\n",
            "tests/test_lib.py": "",
        },
        NONE,
    ),
    "notebook": ({"analysis.ipynb": "{}", "requirements.txt": "jupyter"}, NONE),
    "tests only": ({"test_app.py": "def test(): ...\n", "conftest.py": ""}, NONE),
    "a build script": ({"build.py": "print()\n", "page.md": ""}, NONE),
    "mkdocs": ({"mkdocs.yml": "site_name: x", "docs/index.md": ""}, f"{PY} -m mkdocs serve"),
    # --- JavaScript
    "express": (
        {"package.json": package({"start": "node server.js"}, ["express"]), "server.js": LISTEN},
        "node server.js",
    ),
    "node .": (
        {"package.json": package({"start": "node ."}, main="lib/app.js"), "lib/app.js": LISTEN},
        "node .",
    ),
    "nodemon": (
        {"package.json": package({"dev": "nodemon src/app.js"}, ["nodemon"]), "src/app.js": LISTEN},
        "node src/app.js",
    ),
    "start and nodemon": (
        {
            "package.json": package({"start": "node app.js", "dev": "nodemon app.js"}),
            "app.js": LISTEN,
        },
        "node app.js",
    ),
    "main only": (
        {"package.json": json.dumps({"main": "server.js"}), "server.js": LISTEN},
        "node server.js",
    ),
    "library for node": (
        {
            "package.json": package({"test": "jest", "build": "tsc"}, main="index.js"),
            "index.js": "module.exports = 1\n",
        },
        NONE,
    ),
    "typescript, build and start": (
        {
            "package.json": package(
                {"build": "tsc", "start": "node dist/server.js", "dev": "tsx watch src/server.ts"}
            ),
            "tsconfig.json": '{"compilerOptions": {"outDir": "dist", /* x */},}',
            "src/server.ts": "",
        },
        "npm run build && node dist/server.js",
    ),
    "typescript, esbuild": (
        {
            "package.json": package(
                {
                    "build": "esbuild src/server.ts --outfile=dist/server.js",
                    "start": "node dist/server.js",
                }
            ),
            "src/server.ts": "",
            "pnpm-lock.yaml": "",
        },
        "pnpm run build && node dist/server.js",
    ),
    "typescript, swc": (
        {
            "package.json": package({"build": "swc src -d out", "start": "node out/main.js"}),
            "src/main.ts": "",
        },
        "npm run build && node out/main.js",
    ),
    "typescript, tsx": (
        {
            "package.json": package({"dev": "tsx watch src/index.ts"}, ["tsx"]),
            "src/index.ts": "",
            "tsconfig.json": "{}",
        },
        "node_modules/.bin/tsx src/index.ts",
    ),
    "typescript, ts-node": (
        {
            "package.json": package({"start": "ts-node src/index.ts"}, ["ts-node"]),
            "src/index.ts": "",
            "node_modules/.bin/ts-node": "",
        },
        "node_modules/.bin/ts-node src/index.ts",
    ),
    "vite": (
        {
            "package.json": package(
                {"dev": "vite", "build": "vite build", "preview": "vite preview"}, ["vite"]
            ),
            "vite.config.ts": "",
        },
        "npm run dev",
    ),
    "next": (
        {
            "package.json": package(
                {"dev": "next dev", "build": "next build", "start": "next start"}, ["next"]
            ),
            "yarn.lock": "",
        },
        "yarn run dev",
    ),
    "create-react-app": (
        {"package.json": package({"start": "react-scripts start", "build": "react-scripts build"})},
        "npm run start",
    ),
    "angular": (
        {"package.json": package({"start": "ng serve", "build": "ng build"}), "angular.json": "{}"},
        "npm run start",
    ),
    "nest": (
        {
            "package.json": package(
                {
                    "build": "nest build",
                    "start": "nest start",
                    "start:dev": "nest start --watch",
                    "start:prod": "node dist/main",
                },
                ["@nestjs/core"],
            ),
            "src/main.ts": "",
            "tsconfig.json": "{}",
        },
        "npm run build && node dist/main",
    ),
    "several at once": (
        {"package.json": package({"dev": "concurrently 'npm:api' 'npm:web'", "api": "node a.js"})},
        "npm run dev",
    ),
    "turborepo": (
        {"package.json": package({"dev": "turbo run dev"}), "apps/web/package.json": "{}"},
        "npm run dev",
    ),
    "pnpm workspaces": (
        {
            "package.json": "{}",
            "apps/api/package.json": package({"start": "node api.js"}),
            "apps/api/api.js": LISTEN,
            "apps/web/package.json": package({"dev": "vite"}),
        },
        ASK,
    ),
    "deno": (
        {"deno.json": '{"tasks": {"dev": "deno run --watch -A main.ts"}}', "main.ts": ""},
        "deno run -A main.ts",
    ),
    "deno without tasks": ({"deno.jsonc": "{} // x", "main.ts": ""}, "deno run -A main.ts"),
    "bun": (
        {
            "package.json": package({"dev": "bun --hot src/index.ts"}),
            "bun.lock": "",
            "src/index.ts": "",
        },
        "bun src/index.ts",
    ),
    "bun without scripts": (
        {
            "package.json": json.dumps({"module": "index.ts"}),
            "bun.lockb": "",
            "index.ts": "Bun.serve({})",
        },
        "bun index.ts",
    ),
    "typescript, start with settings": (
        {
            "package.json": package(
                {"build": "tsc", "start": "NODE_ENV=production node dist/index.js"}
            ),
            "tsconfig.json": "{}",
        },
        "npm run build && npm run start",
    ),
    "typescript, start with a loader": (
        {
            "package.json": package(
                {"build": "tsc", "start": "node -r dotenv/config dist/index.js"}
            ),
            "tsconfig.json": "{}",
        },
        "npm run build && node -r dotenv/config dist/index.js",
    ),
    "typescript, start that builds": (
        {
            "package.json": package(
                {"build": "tsc", "start": "npm run build && node dist/index.js"}
            ),
            "tsconfig.json": "{}",
        },
        "npm run build && node dist/index.js",
    ),
    "sveltekit": (
        {"package.json": package({"dev": "vite dev", "build": "vite build"}, ["@sveltejs/kit"])},
        "npm run dev",
    ),
    "script in src": (
        {"src/main.py": MAIN, "src/util.py": "", "requirements.txt": ""},
        f"{PY} src/main.py",
    ),
    "django and node tools": (
        {"manage.py": MANAGE, "package.json": package({"build": "tailwindcss -i a.css"})},
        f"{PY} manage.py runserver --noreload",
    ),
    "fastapi with settings for its port": (
        {
            "main.py": FASTAPI
            + "import uvicorn\nif __name__ == '__main__':\n    uvicorn.run(app, port=settings.port)\n"
        },
        f"{PY} main.py",
    ),
    "two services without marks": (
        {"services/a/main.py": FASTAPI, "services/b/main.py": FASTAPI},
        ASK,
    ),
    "deno fresh": (
        {"deno.json": '{"tasks": {"start": "deno run -A --watch=static/ dev.ts"}}', "dev.ts": ""},
        "deno run -A dev.ts",
    ),
    "ts-node-dev": (
        {
            "package.json": package({"dev": "ts-node-dev --respawn src/index.ts"}, ["ts-node-dev"]),
            "src/index.ts": "",
        },
        "npm run dev",
    ),
    "strapi": (
        {
            "package.json": package(
                {"develop": "strapi develop", "start": "strapi start"}, ["@strapi/strapi"]
            )
        },
        "npm run develop",
    ),
    "start for production": (
        {
            "package.json": package(
                {"dev": "node server.js", "start": "NODE_ENV=production node server.js"}
            ),
            "server.js": LISTEN,
        },
        "node server.js",
    ),
    # --- Go, Rust
    "go": ({"go.mod": MOD, "main.go": GO}, "go build -o ./tmp/main . && ./tmp/main"),
    "go cmd/server": (
        {"go.mod": MOD, "cmd/server/main.go": GO, "cmd/migrate/main.go": GO},
        "go build -o ./tmp/main ./cmd/server && ./tmp/main",
    ),
    "go cmd named like the module": (
        {"go.mod": MOD, "cmd/shop/main.go": GO, "cmd/tool/main.go": GO},
        "go build -o ./tmp/main ./cmd/shop && ./tmp/main",
    ),
    "go, several cmd": ({"go.mod": MOD, "cmd/one/main.go": GO, "cmd/two/main.go": GO}, ASK),
    "go.work": (
        {
            "go.work": "go 1.22\n\nuse (\n\t./svc\n\t./lib\n)\n",
            "svc/go.mod": MOD,
            "svc/main.go": GO,
            "lib/go.mod": MOD,
            "lib/lib.go": "package lib\n",
        },
        "go build -o ./tmp/main ./svc && ./tmp/main",
    ),
    "templ": (
        {"go.mod": MOD + "require github.com/a-h/templ v0.3\n", "main.go": GO, "page.templ": ""},
        "templ generate && go build -o ./tmp/main . && ./tmp/main",
    ),
    "go without a module": ({"main.go": GO}, "go build -o ./tmp/main main.go && ./tmp/main"),
    "go library": ({"go.mod": MOD, "lib.go": "package shop\n"}, NONE),
    "rust": ({"Cargo.toml": cargo(), "src/main.rs": RS}, "cargo build && ./target/debug/shop"),
    "rust with [[bin]]": (
        {
            "Cargo.toml": cargo("my-app", '[[bin]]\nname = "server"\npath = "src/main.rs"\n'),
            "src/main.rs": RS,
        },
        "cargo build && ./target/debug/server",
    ),
    "rust workspace": (
        {
            "Cargo.toml": "[workspace]\nmembers = ['crates/*']\n",
            "crates/api/Cargo.toml": cargo("api"),
            "crates/api/src/main.rs": RS,
            "crates/core/Cargo.toml": cargo("core"),
            "crates/core/src/lib.rs": "",
        },
        "cargo build && ./target/debug/api",
    ),
    "rust with default-run": (
        {
            "Cargo.toml": cargo("shop", 'default-run = "web"\n'),
            "src/bin/web.rs": RS,
            "src/bin/tool.rs": RS,
        },
        "cargo build --bin web && ./target/debug/web",
    ),
    "rust library": ({"Cargo.toml": cargo(), "src/lib.rs": ""}, NONE),
    # --- the JVM, .NET
    "spring boot, maven": (
        {
            "pom.xml": POM.format(
                "<parent><artifactId>spring-boot-starter-parent</artifactId><version>3.3.0</version></parent>"
                + BOOT
            ),
            "mvnw": "",
            "src/main/java/com/shop/Main.java": JAVA,
        },
        "./mvnw -q -DskipTests package && java -jar target/shop-1.0.jar",
    ),
    "maven": (
        {"pom.xml": POM.format(""), "src/main/java/com/shop/Main.java": JAVA},
        "mvn -q compile && java -cp target/classes com.shop.Main",
    ),
    "spring boot, gradle": (
        {
            "build.gradle": "plugins { id 'org.springframework.boot' version '3.3.0' }\nversion = '0.0.1'\n",
            "settings.gradle": "rootProject.name = 'shop'\n",
            "gradlew": "",
        },
        "./gradlew -q bootJar && java -jar build/libs/shop-0.0.1.jar",
    ),
    "gradle application below": (
        {
            "settings.gradle.kts": 'rootProject.name = "shop"\ninclude("app")\n',
            "gradlew": "",
            "app/build.gradle.kts": 'plugins { application }\napplication { mainClass = "com.shop.App" }\n',
        },
        "./gradlew -q :app:installDist && ./app/build/install/app/bin/app",
    ),
    "dotnet": (
        {"Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"></Project>', "Program.cs": ""},
        "dotnet build && dotnet run --no-build",
    ),
    "dotnet solution": (
        {
            "Shop.sln": "",
            "src/Shop.Api/Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"/>',
            "tests/Shop.Tests/Shop.Tests.csproj": "<OutputType>Exe</OutputType> Microsoft.NET.Test.Sdk",
        },
        "dotnet build src/Shop.Api/Shop.Api.csproj && dotnet run --no-build --project src/Shop.Api/Shop.Api.csproj",
    ),
    # --- others
    "rails": ({"Gemfile": "gem 'rails'\n", "bin/rails": "", "config.ru": ""}, "bin/rails server"),
    "sinatra": (
        {"Gemfile": "gem 'sinatra'\n", "app.rb": "require 'sinatra'\n"},
        "bundle exec ruby app.rb",
    ),
    "laravel": (
        {"artisan": "", "composer.json": "{}", "public/index.php": ""},
        "php artisan serve",
    ),
    "php": ({"index.php": "<?php echo 1;"}, "php -S localhost:8000"),
    "phoenix": ({"mix.exs": '{:phoenix, "~> 1.7"}'}, "mix phx.server"),
    "hugo": ({"hugo.toml": "baseURL = 'x'", "content/a.md": ""}, "hugo server"),
    "hugo with config.toml": (
        {"config.toml": "baseURL = 'x'\n", "content/a.md": ""},
        "hugo server",
    ),
    "zig": ({"build.zig": "", "src/main.zig": ""}, "zig build && zig build run"),
    "cmake": (
        {"CMakeLists.txt": "project(shop)\nadd_executable(${PROJECT_NAME} main.c)\n", "main.c": ""},
        "cmake -S . -B build && cmake --build build && ./build/shop",
    ),
    "make with run": (
        {
            "Makefile": "app: main.c\n\tcc -o app main.c\n.PHONY: run build\nbuild: app\nrun: app\n\t./app\n",
            "main.c": "",
        },
        "make build && ./app",
    ),
    "make without run": (
        {
            "Makefile": "CC = gcc\nTARGET = server\nall: $(TARGET)\n$(TARGET): main.c\n\t$(CC) -o $@ $^\nclean:\n\trm -f server\n",
            "main.c": "",
        },
        "make server && ./server",
    ),
    "make for containers": ({"Makefile": "run:\n\tdocker compose up\n"}, NONE),
    "just": (
        {"justfile": 'default:\n  just --list\n\nrun port="80":\n  ./server {{port}}\n'},
        "just run",
    ),
    "task": (
        {"Taskfile.yml": "version: '3'\ntasks:\n  run:\n    cmds:\n      - ./server\n"},
        "task run",
    ),
    "procfile": (
        {
            "Procfile": "web: python app.py --port $PORT\nworker: python worker.py\nrelease: x\n",
            "app.py": "",
            "worker.py": "",
        },
        "PORT=${PORT:-5000}; export PORT; exec python app.py --port $PORT",
    ),
    "compose command": (
        {
            "compose.yaml": "services:\n  db:\n    image: postgres\n  app:\n    build: .\n    command: python worker.py --queue x\n",
            "worker.py": "",
            "app.py": "",
        },
        f"{PY} worker.py --queue x",
    ),
    "dockerfile": (
        {"Dockerfile": 'FROM x\nCMD ["python", "-m", "svc"]\n', "svc/__init__.py": ""},
        f"{PY} -m svc",
    ),
    "monorepo": (
        {
            "services/api/main.py": FASTAPI,
            "services/api/requirements.txt": "",
            "services/worker/go.mod": MOD,
            "services/worker/main.go": GO,
            "web/package.json": package({"dev": "vite"}),
        },
        ASK,
    ),
    "shell": ({"run.sh": "#!/bin/bash\necho on\n"}, "bash run.sh"),
    "empty": ({}, NONE),
    "documents": ({"README.md": "", "LICENSE": "", "index.html": ""}, NONE),
}


@pytest.fixture(autouse=True)
def _python(monkeypatch):
    """The interpreter's name doesn't depend on the machine."""
    monkeypatch.setattr("reloader.detect.python._is_on_path", lambda name: True)


def fill(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape(tmp_path, name):
    """The command is the expected one; nothing is chosen where a person must."""
    files, expected = SHAPES[name]
    fill(tmp_path, files)

    found = [candidate.command for candidate in look(Folder(str(tmp_path)))]

    assert ({0: NONE, 1: found[0] if found else ""}.get(len(found), ASK)) == expected, found


BESIDE = ("vite", "next", "turborepo", "streamlit", "mkdocs", "laravel", "rails", "hugo", "dash")


@pytest.mark.parametrize("name", BESIDE)
def test_what_reloads_by_itself_is_left_to_do_so(tmp_path, name):
    """No extension restarts it."""
    fill(tmp_path, SHAPES[name][0])

    (candidate,) = look(Folder(str(tmp_path)))

    assert candidate.include_ext == ()
    assert candidate.settings()["build.include_ext"] == ()


@pytest.mark.parametrize("call", ["app.run(debug=True)", "uvicorn.run('x:y', reload=True)"])
def test_a_script_that_reloads_itself_is_left_to_do_so(tmp_path, call):
    """Where no server of a known framework takes its place."""
    fill(tmp_path, {"app.py": f"import thing\nif __name__ == '__main__':\n    {call}\n"})

    (candidate,) = look(Folder(str(tmp_path)))

    assert (candidate.bin, candidate.include_ext) == ("python app.py", ())


def test_env_files_are_read(tmp_path):
    """Those that are there; a dev server reads its own."""
    fill(tmp_path, SHAPES["flask"][0] | {".env": "A=1\n", ".flaskenv": "FLASK_RUN_PORT=5055\n"})
    fill(tmp_path / "web", SHAPES["vite"][0] | {".env": "A=1\n"})

    (flask,) = look(Folder(str(tmp_path)))
    (vite,) = look(Folder(str(tmp_path / "web")))

    assert flask.settings()["env_files"] == (".flaskenv", ".env")
    assert vite.env_files == ()


def test_special_files_and_loops_are_no_trouble(tmp_path):
    """A pipe, a link to itself, a directory with a file's name: nothing waits, nothing is found."""
    import os

    os.mkfifo(tmp_path / "main.py")
    (tmp_path / "app.py").symlink_to("app.py")
    (tmp_path / "package.json").mkdir()
    (tmp_path / "go.mod").write_bytes(bytes(range(256)))
    (tmp_path / "loop").symlink_to(tmp_path)

    assert look(Folder(str(tmp_path))) == []
