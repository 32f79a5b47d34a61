"""Judges the schema of twinsite.toml by another implementation of TOML and of JSON Schema, and parses every YAML file that others use."""

import json
import pathlib
import re
import tomllib

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs/src/reference/twinsite.schema.json").read_text())
REQUIRED = {"site": {"domain": "www.example.com"}, "primary": {"region": "us-east-1"}, "backup": {"region": "us-west-2"}}
# One wrong value each. The command refuses them, too: see crates/cli/src/config.rs.
WRONG = [
    ("site", "mode", "triple"),
    ("site", "tags", {str(number): "x" for number in range(8)}),
    ("site", "domian", "www.example.com"),
    ("cdn", "price_class", "300"),
    ("dns", "failure_threshold", 11),
    ("dns", "health_interval", 20),
    ("dns", "ttl", 0),
    ("publish", "encryption", "SSE-C"),
    ("publish", "headers", [{"cache_control": "no-store"}]),
    ("publish", "keep_release", 3),
]


def completed(config):
    return config | {section: keys | config.get(section, {}) for section, keys in REQUIRED.items()}


def main():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    accepted = 0
    for page in (ROOT / "docs/src").rglob("*.md"):
        for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            errors = [error.message for error in validator.iter_errors(completed(tomllib.loads(block)))]
            assert not errors, f"{page}: {errors}"
            accepted += 1
    assert accepted > 3, accepted
    for section, key, value in WRONG:
        assert list(validator.iter_errors(completed({section: {key: value}}))), f"the schema accepts {section}.{key} = {value}"
    assert list(validator.iter_errors({})), "the schema requires nothing"
    for pattern in ["action.yml", ".github/**/*.yml", "packaging/**/*.yml"]:
        for file in ROOT.glob(pattern):
            assert isinstance(yaml.safe_load(file.read_text()), dict), file


main()
