"""Reads JUnit XML as strictly as its schema."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

COUNTS = ("tests", "failures", "errors", "skipped")


def read_junit(document: str) -> ET.Element:
    """The root of a document that holds to junit-10.xsd."""
    root = ET.fromstring(document.encode("utf-8"))  # noqa: S314 (a test reads what it has just made)
    holds_to_the_schema(root)
    return root


def counted(suite: ET.Element) -> dict[str, int]:
    """What a reader of JUnit counts itself."""
    cases = list(suite.iter("testcase"))
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    return {"tests": len(cases), **{k: sum(c.find(tag) is not None for c in cases) for k, tag in kinds.items()}}


def holds_to_the_schema(root: ET.Element) -> None:
    """What junit-10.xsd asks of a document: names, counts that are counts, and children in their places."""
    assert root.tag == "testsuites"
    assert {child.tag for child in root} == {"testsuite"}
    for node in (root, *root):
        assert {"name", *COUNTS} <= node.attrib.keys()
        assert {key: int(node.attrib[key]) for key in COUNTS} == counted(node)
    for suite in root:
        order = re.fullmatch("(properties )?(testcase )*(system-out )?", "".join(f"{c.tag} " for c in suite))
        assert order is not None
        for case in suite.iter("testcase"):
            assert {"classname", "name", "time"} <= case.attrib.keys()
            assert [child.tag for child in case] in ([], ["failure"], ["skipped"])
            assert all("message" in child.attrib for child in case)
