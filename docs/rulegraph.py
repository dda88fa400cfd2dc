"""Draw the graph of the rules in docs/workflow.md and of their files in README.md.

    python docs/rulegraph.py

writes the graph of the rules of `all`, which Snakemake prints, as Mermaid diagrams, which GitHub renders. The
rules are sorted by name, because Snakemake's order differs between calls.
"""

import re
import subprocess
from collections.abc import Set
from pathlib import Path

__all__ = [
    "COMMAND",
    "README",
    "RULES",
    "diagram_in",
    "edges",
    "file_diagram",
    "file_pairs",
    "reduced",
    "rule_diagram",
]

ROOT = Path(__file__).parents[1]
RULES, README = ROOT / "docs" / "workflow.md", ROOT / "README.md"
"""The pages with the diagrams of the rules and of the files."""
COMMAND = ("snakemake", "--rulegraph", "mermaid-js")
BLOCK = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)
GROUPS = {"corpus": "corpora", "words": "words", "sentences": "sentences"}
"""The group in which rules with the same prefix are drawn."""

Edges = Set[tuple[str, str]]
"""Pairs of rules; the second uses an output of the first."""


def edges(text: str) -> Edges:
    """The pairs in the output of `COMMAND`."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", text, flags=re.MULTILINE))
    found = re.findall(r"^\s*(id\d+) --> (id\d+)$", text, flags=re.MULTILINE)
    return {(names[one], names[other]) for one, other in found}


def reduced(pairs: Edges) -> Edges:
    """The transitive reduction: the pairs without those that a longer path implies."""
    after: dict[str, set[str]] = {}
    for one, other in pairs:
        if one != other:
            after.setdefault(one, set()).add(other)

    def reached(rule: str) -> set[str]:
        return set().union(*({other} | reached(other) for other in after.get(rule, ())))

    beyond = {rule: set().union(*map(reached, others)) for rule, others in after.items()}
    return {(one, other) for one, other in pairs if other not in beyond.get(one, ())}


def rule_diagram(pairs: Edges) -> str:
    """The pairs as a Mermaid diagram."""
    rules = sorted({rule for pair in pairs for rule in pair})
    lines = ["flowchart TB"]
    for prefix, group in GROUPS.items():
        members = [f"        {rule}" for rule in rules if rule.partition("_")[0] == prefix]
        lines += [f"    subgraph {group}", *members, "    end"]
    lines += [f"    {one} --> {other}" for one, other in sorted(pairs)]
    return "\n".join(lines) + "\n"


def file_pairs(pairs: Edges) -> Edges:
    """The pairs of files that contain these pairs of rules; a paper's file is named after the paper."""
    file: dict[str, str] = {}
    for path in [*(ROOT / "workflow").glob("rules/*.smk"), *(ROOT / "workflow").glob("papers/*/*.smk")]:
        paper = path.parent.name if path.parent.name != "rules" else ""
        name = "_".join(filter(None, (paper, path.stem if path.stem != "rules" else "")))
        text = path.read_text(encoding="utf-8")
        rules = re.findall(r"^(?:use rule \w+ as|rule) (\w+)", text, flags=re.MULTILINE)
        file |= dict.fromkeys(rules, name)
    found = {(file[one], file[other]) for one, other in pairs if {one, other} <= file.keys()}
    return {(one, other) for one, other in found if one != other}


def file_diagram(pairs: Edges) -> str:
    """Pairs of files as a Mermaid diagram, from left to right."""
    return "\n".join(["flowchart LR", *(f"    {one} --> {other}" for one, other in sorted(pairs))]) + "\n"


def diagram_in(page: str) -> str:
    """The diagram in a page."""
    found = BLOCK.search(page)
    return found[0] if found else ""


if __name__ == "__main__":
    printed = subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout
    found = edges(printed)
    for page, drawing in (
        (RULES, rule_diagram(reduced(found))),
        (README, file_diagram(reduced(file_pairs(found)))),
    ):
        page.write_text(BLOCK.sub(drawing, page.read_text(encoding="utf-8")), encoding="utf-8")
