"""Draw the picture of the rules in docs/workflow.md, from the workflow itself.

    python docs/rulegraph.py

asks Snakemake for the rules behind `all` and which feeds which, and writes them as a Mermaid diagram, which
GitHub draws. Snakemake's own order differs from call to call; here it is that of the names.
"""

import re
import subprocess
from collections.abc import Set
from pathlib import Path

__all__ = ["COMMAND", "PAGE", "diagram", "drawn", "edges", "reduced"]

PAGE = Path(__file__).parent / "workflow.md"
COMMAND = ("snakemake", "--rulegraph", "mermaid-js")
BLOCK = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)
GROUPS = {"corpus": "corpora", "words": "words", "sentences": "sentences"}
"""What rules with the same prefix are drawn in."""

Edges = Set[tuple[str, str]]
"""Pairs of rules, the first of which feeds the second."""


def edges(text: str) -> Edges:
    """The pairs in what Snakemake prints."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", text, flags=re.MULTILINE))
    found = re.findall(r"^\s*(id\d+) --> (id\d+)$", text, flags=re.MULTILINE)
    return {(names[one], names[other]) for one, other in found}


def reduced(pairs: Edges) -> Edges:
    """The pairs without those that a longer way stands for, so that arrows can be told apart."""
    after: dict[str, set[str]] = {}
    for one, other in pairs:
        if one != other:
            after.setdefault(one, set()).add(other)

    def reached(rule: str) -> set[str]:
        return set().union(*({other} | reached(other) for other in after.get(rule, ())))

    beyond = {rule: set().union(*map(reached, others)) for rule, others in after.items()}
    return {(one, other) for one, other in pairs if other not in beyond.get(one, ())}


def diagram(pairs: Edges) -> str:
    """The pairs as a Mermaid diagram."""
    rules = sorted({rule for pair in pairs for rule in pair})
    lines = ["flowchart TB"]
    for prefix, group in GROUPS.items():
        own = [f"        {rule}" for rule in rules if rule.partition("_")[0] == prefix]
        lines += [f"    subgraph {group}", *own, "    end"]
    lines += [f"    {one} --> {other}" for one, other in sorted(pairs)]
    return "\n".join(lines) + "\n"


def drawn(page: str) -> str:
    """The diagram that stands in the page."""
    found = BLOCK.search(page)
    return found[0] if found else ""


if __name__ == "__main__":
    printed = subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout
    page = BLOCK.sub(diagram(reduced(edges(printed))), PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")
