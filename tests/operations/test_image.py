"""The container image and compose.yaml: as linters want them, and in step with the program."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import Run, every_key, variable_of
from tests.operations import image
from tests.operations.page import ROOT, there

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
BOT: dict[str, Any] = COMPOSE["services"]["bot"]
KEYS = {variable_of(section, key) for section, key in every_key()}


def test_the_dockerfile_is_as_hadolint_wants_it() -> None:
    """The linter of Dockerfiles finds nothing."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        assert (sys.platform, os.uname().machine) != ("linux", "x86_64"), "`make test` installs it"
        pytest.skip("hadolint is for Linux on x86-64 alone")
    found = subprocess.run(
        [hadolint, "--no-color", str(image.DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_compose_yaml_is_what_compose_reads() -> None:
    """It has the form of the Compose specification."""
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         str(ROOT / "compose.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_image_has_a_user_a_way_to_stop_and_a_way_to_ask() -> None:
    """It runs as a number, ends by SIGTERM, and is asked by a subcommand that there is."""
    final = image.stages()[-1]
    assert image.one_of(final, "USER") == "10001:10001"
    assert image.one_of(final, "STOPSIGNAL") == "SIGTERM"
    asked = json.loads(image.one_of(final, "HEALTHCHECK").partition(" CMD ")[2])
    assert asked[0] == "hidream-bot"
    assert asked[1] in there()
    assert json.loads(image.one_of(final, "CMD"))[0] in there()
    bots = {name for name in image.environment_of(final) if name.startswith("BOT_")}
    assert bots <= KEYS


def test_both_stages_have_the_same_base() -> None:
    """The environment that the first makes has links to the Python of its base."""
    assert {stage[0].value.split()[0] for stage in image.stages()} == {"python:${PYTHON}"}
    assert [stage[0].value for stage in image.stages()][-1] == "python:${PYTHON}"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("bot/app.py", True),
        ("bot/locales/ar/LC_MESSAGES/bot.po", True),
        ("storage/migrations/0001_initial.sql", True),
        ("sandbox/cli.py", True),
        ("requirements/run.txt", True),
        ("pyproject.toml", True),
        ("README.md", True),
        ("bot/__pycache__/app.cpython-313.pyc", False),
        ("requirements/dev.txt", False),
        ("config.toml", False),
        ("settings/config.toml", False),
        ("secrets/telegram-token", False),
        ("data/bot.db", False),
        (".git/config", False),
        ("tests/conftest.py", False),
    ],
)
def test_the_image_is_made_of_the_program_alone(name: str, wanted: bool) -> None:
    """What .dockerignore lets in is the program; neither tokens nor databases get into an image."""
    assert image.let_in(name) is wanted


def test_the_container_may_do_next_to_nothing() -> None:
    """Its root is read-only, it has no capability and gains none, and no port is for others than this machine."""
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}
        assert service["mem_limit"]
        assert service["restart"] == "unless-stopped"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert not any("privileged" in service for service in COMPOSE["services"].values())


def test_the_container_is_in_step_with_the_program() -> None:
    """Its volumes are the image's, its variables are settings, its tokens come from files, a stop has time."""
    environment = image.environment_of(image.stages()[-1])
    mounted = {volume.split(":")[1] for volume in BOT["volumes"]}
    assert {"/data", "/backups", "/settings"} == mounted
    assert environment["BOT_STORAGE__URL"].startswith("sqlite:////data/")
    assert BOT["environment"].keys() <= KEYS
    files = {value for name, value in BOT["environment"].items() if name.endswith("_FILE")}
    assert {f"/run/secrets/{name}" for name in BOT["secrets"]} == files
    assert float(BOT["stop_grace_period"].rstrip("s")) > Run().stop_seconds + 10
    assert BOT["command"][0] in there()


def test_prometheus_asks_the_container_as_it_asks_a_service() -> None:
    """Its two configurations differ in the bot's address alone, which is what compose.yaml sets."""
    texts = [
        (ROOT / "deploy" / f"{name}.yml").read_text("utf-8")
        for name in ("prometheus", "prometheus-compose")
    ]
    alone, beside = (yaml.safe_load(text) for text in texts)
    address = beside["scrape_configs"][0]["static_configs"][0]["targets"][0]
    port = BOT["environment"]["BOT_WEB__MONITOR"].rpartition(":")[2]
    assert address == f"bot:{port}"
    assert beside == yaml.safe_load(texts[0].replace("127.0.0.1:9464", address))
    assert alone != beside
    for volume in COMPOSE["services"]["prometheus"]["volumes"]:
        if volume.startswith("./"):
            assert (ROOT / volume.partition(":")[0]).is_file()


def test_secrets_and_settings_are_not_committed() -> None:
    """What compose.yaml reads beside the project is nothing that git takes."""
    ours = [file["file"] for file in COMPOSE["secrets"].values()] + ["settings/config.toml"]
    ignored = subprocess.run(
        ["git", "check-ignore", *ours], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ignored.returncode == 128:
        pytest.skip("this is no clone")
    assert ignored.stdout.split() == ours
