"""Draw the rules in docs/workflow.md and their files in README.md, from the workflow itself.

    python docs/rulegraph.py

asks Snakemake for the graph of the rules of `all` and writes it as Mermaid diagrams, which GitHub draws.
Snakemake's own order differs between calls; here the rules are sorted by name.
"""

import re
import subprocess
from collections.abc import Set
from pathlib import Path

__all__ = ["COMMAND", "README", "RULES", "diagram", "drawn", "edges", "of_files", "reduced", "stages"]

ROOT = Path(__file__).parents[1]
RULES, README = ROOT / "docs" / "workflow.md", ROOT / "README.md"
"""The pages with the diagram of the rules, and of the files."""
COMMAND = ("snakemake", "--rulegraph", "mermaid-js")
BLOCK = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)
GROUPS = {"corpus": "corpora", "words": "words", "sentences": "sentences"}
"""The group in which rules with the same prefix are drawn."""

Edges = Set[tuple[str, str]]
"""Pairs of rules, the first of which feeds the second."""


def edges(text: str) -> Edges:
    """The pairs in what Snakemake prints."""
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


def diagram(pairs: Edges) -> str:
    """The pairs as a Mermaid diagram."""
    rules = sorted({rule for pair in pairs for rule in pair})
    lines = ["flowchart TB"]
    for prefix, group in GROUPS.items():
        own = [f"        {rule}" for rule in rules if rule.partition("_")[0] == prefix]
        lines += [f"    subgraph {group}", *own, "    end"]
    lines += [f"    {one} --> {other}" for one, other in sorted(pairs)]
    return "\n".join(lines) + "\n"


def of_files(pairs: Edges) -> Edges:
    """The same pairs for the files that contain the rules; the file of a paper is named after the paper."""
    file: dict[str, str] = {}
    for path in [*(ROOT / "workflow").glob("rules/*.smk"), *(ROOT / "workflow").glob("papers/*/*.smk")]:
        paper = path.parent.name if path.parent.name != "rules" else ""
        name = "_".join(filter(None, (paper, path.stem if path.stem != "rules" else "")))
        text = path.read_text(encoding="utf-8")
        rules = re.findall(r"^(?:use rule \w+ as|rule) (\w+)", text, flags=re.MULTILINE)
        file |= dict.fromkeys(rules, name)
    found = {(file[one], file[other]) for one, other in pairs if {one, other} <= file.keys()}
    return {(one, other) for one, other in found if one != other}


def stages(pairs: Edges) -> str:
    """Pairs of files as a Mermaid diagram, from left to right."""
    return "\n".join(["flowchart LR", *(f"    {one} --> {other}" for one, other in sorted(pairs))]) + "\n"


def drawn(page: str) -> str:
    """The diagram in a page."""
    found = BLOCK.search(page)
    return found[0] if found else ""


if __name__ == "__main__":
    printed = subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout
    found = edges(printed)
    for page, picture in ((RULES, diagram(reduced(found))), (README, stages(reduced(of_files(found))))):
        page.write_text(BLOCK.sub(picture, page.read_text(encoding="utf-8")), encoding="utf-8")
