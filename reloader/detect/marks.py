"""Files that mark the directory of a project."""

PYTHON = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "uv.lock", "poetry.lock")
SUBPROJECTS = (
    *("go.mod", "Cargo.toml", "package.json", "deno.json", "manage.py", "pom.xml", "build.gradle"),
    *("build.gradle.kts", "Gemfile", "composer.json", "mix.exs", "Procfile", "CMakeLists.txt"),
    *(".reload.toml", ".air.toml", *PYTHON),
)
