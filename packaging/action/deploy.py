"""Runs `twinsite deploy --json` in a step of a workflow: outputs, annotations, a job summary, and the exit code of twinsite.

The inputs of action.yml are read from INPUT_*; outputs go to GITHUB_OUTPUT and the summary to GITHUB_STEP_SUMMARY. Only Python's
standard library is used.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

import json
import os
import shlex
import subprocess
import sys
import uuid

# How many objects the summary lists. A summary has at most one mebibyte.
LISTED = 200


def text_input(name, default=""):
    return os.environ.get(f"INPUT_{name}", "").strip() or default


def is_set(name):
    value = text_input(name, "false").lower()
    if value not in ("true", "false"):
        annotate("error", f"{name.lower().replace('_', '-')} is neither true nor false: {value}")
        sys.exit(2)
    return value == "true"


def annotate(level, message):
    """An annotation. What would end the command, or begin another one, is escaped."""
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{level} title=twinsite::{escaped}", flush=True)


def set_output(name, value):
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        # A value cannot contain a delimiter that nobody knows.
        end = uuid.uuid4().hex
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def cell(value):
    """Text in a cell of a table: a file name may have any character."""
    special = "\\`*_{}[]<>()#|~&$@"
    return "".join(f"&#{ord(c)};" if c in special or ord(c) < 32 else c for c in str(value))


def number(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def command():
    words = ["twinsite", "deploy", text_input("DIRECTORY", "public"), "--config", text_input("CONFIG", "twinsite.toml"), "--json"]
    if is_set("IF_NEWER"):
        words.append("--if-newer")
    if is_set("DRY_RUN"):
        words.append("--dry-run")
    if text_input("MESSAGE"):
        # As one word, so that a message that begins with a hyphen is no option.
        words.append(f"--message={text_input('MESSAGE')}")
    return words + shlex.split(os.environ.get("INPUT_ARGS", ""))


def run(words):
    """Runs the command and shows what it does; returns its lines and its exit code."""
    lines = []
    process = subprocess.Popen(words, stdout=subprocess.PIPE, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL)
    for line in process.stdout:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        lines.append(record)
        shown(record)
    return lines, process.wait()


def shown(record):
    event = record.get("event")
    if event == "warning":
        hint = f"; {record['hint']}" if record.get("hint") else ""
        annotate("warning", f"{record.get('text', '')}{hint}")
    elif event == "error":
        hints = "".join(f"\n{hint}" for hint in record.get("hints", []))
        annotate("error", f"could not {record.get('operation')}: {record.get('reason')}{hints}")
    elif event == "phase" and record.get("state") == "started":
        side = f" ({record['side']})" if record.get("side") else ""
        print(f"{record['phase']}{side}", flush=True)
    elif event == "object":
        # As JSON, so that no name can be a workflow command.
        print(f"  {record.get('side') or ''} {record['verb']} {json.dumps(record['key'])}", flush=True)
    elif event == "step" and record.get("state") == "started":
        print(f"step {record['step']}", flush=True)


def objects_table(title, rows):
    if not rows:
        return []
    out = ["", f"<details><summary>{title}</summary>", "", "| | object | why |", "|---|---|---|"]
    out += [f"| {verb} | {cell(key)} | {cell(reason)} |" for verb, key, reason in rows[:LISTED]]
    if len(rows) > LISTED:
        out += ["", f"{len(rows) - LISTED} more are not listed."]
    return out + ["", "</details>"]


def deployed_summary(result, lines):
    release, primary, backup, invalidation = (result[key] for key in ("release", "primary", "backup", "invalidation"))
    # In an outage, the backup alone is published to.
    side, written = ("backup", backup["alone"]) if backup.get("alone") else ("primary", primary)
    verbs = {"put": "uploaded", "rewritten": "rewritten", "deleted": "deleted", "unchanged": "unchanged"}
    counts = ", ".join(f"{written[key]} {verb}" for key, verb in verbs.items())
    out = [f"## Release {release['id']}" if release else "## Nothing to publish", "", "| | |", "|---|---|"]
    if result.get("url"):
        out.append(f"| site | <{result['url']}> |")
    out.append(f"| {side} | {counts} |")
    if side == "primary":
        out.append(f"| backup | {with_reason(backup)} |")
    else:
        out.append(f"| primary | {with_reason(primary)} |")
    paths = f", {number(invalidation['paths'], 'path')}" if "paths" in invalidation else ""
    out.append(f"| invalidation | {with_reason(invalidation)}{paths} |")
    if release and release.get("commit"):
        out.append(f"| commit | {cell(release['commit'])} |")
    objects = [line for line in lines if line.get("event") == "object" and line.get("side") == side]
    rows = [(line["verb"], line["key"], line["reason"]) for line in objects]
    return out + objects_table(number(len(rows), "changed object"), rows)


def with_reason(part):
    """A state, and why it is no better."""
    return cell(part["state"] + (f": {part['error']}" if part.get("error") else ""))


def planned_summary(result):
    primary = result["primary"]
    out = ["## Dry run", "", f"{len(primary['put'])} to upload, {len(primary['rewrite'])} to rewrite, {len(primary['delete'])} to delete, {primary['unchanged']} unchanged."]
    rows = [(verb, one["key"], one["reason"]) for verb in ("put", "rewrite", "delete") for one in primary[verb]]
    return out + objects_table(number(len(rows), "object"), rows)


def summary(result, lines):
    event = result.get("event")
    if event == "deployed":
        out = deployed_summary(result, lines)
    elif event == "dry-run":
        out = planned_summary(result)
    elif event == "skipped":
        out = ["## Nothing was published", "", cell(result["reason"])]
    elif event == "error":
        out = ["## Failed", "", f"could not {cell(result['operation'])}: {cell(result['reason'])}", ""]
        out += [f"- {cell(hint)}" for hint in result.get("hints", [])]
    else:
        out = ["## No result", "", "twinsite ended without a result: see the log of the step."]
    warnings = [line for line in lines if line.get("event") == "warning"]
    if warnings:
        out += ["", "### Warnings", ""] + [f"- {cell(line.get('text', ''))}" for line in warnings]
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n".join(out) + "\n")


def changed(result):
    if result.get("event") == "dry-run":
        return any(result["primary"][key] for key in ("put", "rewrite", "delete"))
    if result.get("event") == "deployed":
        written = result["backup"].get("alone") or result["primary"]
        return any(written[key] for key in ("put", "rewritten", "deleted"))
    return False


def main():
    try:
        lines, code = run(command())
    except FileNotFoundError:
        annotate("error", "twinsite is not on the PATH: set `version`, or install it in an earlier step")
        return 1
    result = lines[-1] if lines else {}
    summary(result, lines)
    set_output("release", (result.get("release") or {}).get("id", ""))
    set_output("url", result.get("url") or "")
    set_output("changed", str(changed(result)).lower())
    set_output("backup", (result.get("backup") or {}).get("state", ""))
    set_output("result", json.dumps(result))
    set_output("exit-code", code)
    if code == 3:
        annotate("error", "the release is not published everywhere: see the job summary")
    elif code != 0 and result.get("event") != "error":
        annotate("error", f"twinsite ended with exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
