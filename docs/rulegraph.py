"""Draw the graph of the rules in docs/workflow.md.

    python docs/rulegraph.py

writes the graph of the rules of `all`, which Snakemake prints, as a Mermaid diagram, which GitHub
renders. The rules are sorted by name, because Snakemake's order differs between calls.
"""

import re
import subprocess
from collections.abc import Set
from pathlib import Path

__all__ = [
    "COMMAND",
    "PAGE",
    "diagram_in",
    "edges",
    "reduced",
    "rule_diagram",
]

PAGE = Path(__file__).parent / "workflow.md"
"""The page with the diagram."""
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


def diagram_in(page: str) -> str:
    """The diagram in a page."""
    found = BLOCK.search(page)
    return found[0] if found else ""


if __name__ == "__main__":
    printed = subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout
    drawing = rule_diagram(reduced(edges(printed)))
    PAGE.write_text(BLOCK.sub(drawing, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
