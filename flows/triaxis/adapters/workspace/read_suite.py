"""A Great Expectations suite as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection

from triaxis.adapters.truth.expectation_types import suite_faults
from triaxis.adapters.workspace.findings import Findings
from triaxis.adapters.workspace.json_text import NotPlain, loads
from triaxis.adapters.workspace.tree import dotted
from triaxis.domain.canonical import JsonValue


def read_suite(text: str, name: str, columns: Collection[str] | None, findings: Findings) -> JsonValue:
    """The suite; `columns` are the dataset's, None where it could not be read."""
    suite = read_json(text, name, findings)
    if suite is not None and columns is not None:
        for fault in suite_faults(suite, columns):
            findings.add(name, fault.problem, fault.advice, path=dotted(fault.path))
    return suite


def read_json(text: str, name: str, findings: Findings) -> JsonValue:
    """The value of a JSON file; None after adding a fault, or where it is null."""
    try:
        value: JsonValue = loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except NotPlain as error:
        findings.add(name, error.problem, error.advice)
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON at column {error.colno}: {error.msg}"
        findings.add(name, problem, "Correct the JSON: double quotes, no trailing commas.", line=error.lineno)
    except UnicodeEncodeError:
        findings.add(name, "holds half of a surrogate pair, which is no text", "Write the character itself.")
    else:
        if value is None:
            findings.add(name, "holds nothing but null", "Write an object, or do not name the file.", line=1)
        return value
    return None
