"""The description of a crate's files and their provenance, as a Provenance Run RO-Crate."""

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from rocrate.model import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from textlvm.corpora.registry import Corpus
from textlvm.reporting.crate.content import Content, RunRecord

__all__ = ["describe"]

# The newest versions that have a validator.
ROCRATE = "1.1"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
FORMATS = {
    ".css": "text/css",
    ".csv": "text/csv",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".yaml": "application/yaml",
}
COSTS = {
    "seconds": "https://qudt.org/vocab/unit/SEC",
    "peak_memory_mib": "https://qudt.org/vocab/unit/MebiBYTE",
}
"""The costs of a process by their names in the record, with units."""


def describe(content: Content) -> ROCrate:
    """The crate of an experiment."""
    crate = _Crate(content)
    configuration = crate.add_workflow()
    products = crate.add_results(content.shareable)
    crate.add_results(sorted(content.data))
    corpora = [crate.add_corpus(name, digests) for name, digests in content.digests.items()]
    # Several evaluations can share a training.
    steps = {step.id: step for run in content.ordered for step in crate.add_run(run)}
    crate.add_workflow_run([*configuration, *corpora], products, list(steps.values()))
    return crate.crate


class _Crate:
    """Builds the crate of an experiment."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.crate = ROCrate(version=ROCRATE)
        self.crate.metadata.extra_contexts.append(TERMS)

    def add(self, identifier: str, kind: str, **properties: Any) -> Entity:
        """Add an entity that is not a file; properties without a value are omitted."""
        known = {name: value for name, value in properties.items() if value not in (None, "", [])}
        # In RO-Crate, a single value is not a list.
        known |= {name: v[0] for name, v in known.items() if isinstance(v, list) and len(v) == 1}
        return self.crate.add(ContextEntity(self.crate, identifier, {"@type": kind, **known}))

    def add_file(self, source: Path | io.StringIO, place: str, **properties: Any) -> Entity:
        """Add a file."""
        known = {"name": place, "encodingFormat": FORMATS.get(PurePath(place).suffix, "text/plain")}
        return self.crate.add_file(source, place, properties=known | properties)

    def add_workflow(self) -> list[Entity]:
        """Add the workflow and its files; returns the files of its configuration."""
        about = {
            # A HowTo, because it has steps.
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "textlvm",
            **self.version(),
            "encodingFormat": "text/plain",
        }
        engine = {"lang": "snakemake", "lang_version": self.content.engine}
        sources = self.content.sources
        self.crate.add_workflow(sources.pop("Snakefile"), "Snakefile", properties=about, main=True, **engine)
        for place, path in sources.items():
            self.add_file(path, place, **({"about": self.crate.root_dataset} if place == "README.md" else {}))
        text = json.dumps(self.content.configuration, indent=2, sort_keys=True, ensure_ascii=False)
        description = "The effective configuration: config.yaml, profiles and command line together."
        effective = self.add_file(io.StringIO(f"{text}\n"), "configuration.json", description=description)
        return [self.crate.get("config.yaml"), effective]

    def add_results(self, paths: Iterable[Path]) -> list[Entity]:
        """Add files of the results."""
        return [self.add_file(path, self.content.place(path)) for path in paths]

    def add_corpus(self, name: str, digests: Mapping[str, str | None]) -> Entity:
        """Add the metadata of a corpus, its terms and its files; the crate does not contain the files."""
        corpus = self.content.corpora.get(name, Corpus(name, name, "", ()))
        urls = {source.name: list(source.urls) for source in corpus.files}
        identifier = f"#corpora/{quote(name)}"
        files = [
            self.add(
                f"{identifier}/{quote(file)}", "CreativeWork", name=file, sha256=digest, url=urls.get(file)
            )
            for file, digest in sorted(digests.items())
        ]
        terms = self.add(
            f"{identifier}/terms",
            "CreativeWork",
            name=f"Terms of {corpus.title}",
            description=corpus.licence or "None stated.",
        )
        about = {"name": corpus.title, "license": terms, "citation": corpus.citation, "hasPart": files}
        return self.add(identifier, "CreativeWork", **about)

    def add_data(self, place: str, digest: str | None) -> Entity:
        """An input or output of a step; only its digest if the crate does not contain it, as with texts."""
        file = self.crate.get(quote(place))
        return file or self.add(f"#{quote(place)}", "CreativeWork", name=place, sha256=digest)

    def add_run(self, run: RunRecord) -> list[Entity]:
        """Add the training and the evaluation of a run and seed, with their inputs and outputs."""
        metrics, record = self.add_results(run.folder / file for file in ("metrics.json", "provenance.json"))
        data = {path: self.add_data(self.content.place(path), run.data[path]) for path in run.data}
        settings = dict(run.configuration)
        evaluation = settings.pop("evaluation")
        inputs, outputs = ([data[path] for path in paths] for paths in (run.training_data, run.weights))
        folder = run.folder.relative_to(self.content.results).as_posix()
        return [
            self.add_step("training", run.trained, run.training, settings, inputs, outputs, record),
            self.add_step(
                "evaluation", folder, run.evaluation, evaluation, [*data.values()], [metrics, record], record
            ),
        ]

    def add_step(
        self,
        step: str,
        folder: str,
        process: Mapping[str, Any],
        settings: Mapping[str, Any],
        inputs: list[Entity],
        outputs: list[Entity],
        record: Entity,
    ) -> Entity:
        """Add the action of one process, whose provenance file is `record`."""
        paper = self.content.papers[folder.partition("/")[0]]
        program = self.content.project / paper.program(step)
        identifier = f"#{quote(folder)}/{step}"
        return self.add(
            identifier,
            "CreateAction",
            name=f"{step.capitalize()} of {folder}",
            description=json.dumps(settings, sort_keys=True, ensure_ascii=False),
            instrument=self.tool(program),
            object=inputs,
            result=outputs,
            startTime=process.get("began"),
            endTime=process.get("ended"),
            resourceUsage=self.add_costs(identifier, process),
            subjectOf=record,
        )

    def add_costs(self, step: str, process: Mapping[str, Any]) -> list[Entity]:
        """Add the costs of a step."""
        known = {name: unit for name, unit in COSTS.items() if name in process}
        return [
            self.add(f"{step}/{name}", "PropertyValue", propertyID=name, unitCode=unit, value=process[name])
            for name, unit in known.items()
        ]

    def tool(self, program: Path) -> Entity:
        """The entity of a program, which is added to the tools of the workflow if necessary."""
        place, workflow = self.content.source(program), self.crate.mainEntity
        tool = self.crate.get(quote(place))
        if tool not in workflow.get("hasPart", []):
            tool = self.add_file(
                program, place, **{"@type": ["File", "SoftwareSourceCode"]}, name=place, **self.version()
            )
            workflow.append_to("hasPart", tool)
            step = self.add(f"#steps/{quote(place)}", "HowToStep", name=place, workExample=tool)
            workflow.append_to("step", step)
        return tool

    def version(self) -> dict[str, str]:
        """The version of the code as a property, if it is known."""
        return {"version": self.content.version} if self.content.version else {}

    def add_workflow_run(self, inputs: list[Entity], outputs: list[Entity], steps: list[Entity]) -> None:
        """Add the run of the workflow and the description of the whole crate."""
        begins, ends = (
            sorted(step[time] for step in steps if time in step) for time in ("startTime", "endTime")
        )
        workflow_run = self.add(
            "#run",
            "CreateAction",
            name="Run of the workflow",
            description="From the corpora to the products; its times are those of its first and last step.",
            instrument=self.crate.mainEntity,
            object=inputs,
            result=outputs,
            startTime=begins[0],
            endTime=ends[-1],
        )
        root = self.crate.root_dataset
        used = {run.name.partition("/")[0] for run in self.content.runs}
        cited = [paper.citation for name, paper in self.content.papers.items() if name in used]
        root["name"] = f"Regenerated: {'; '.join(cited)}"
        root["description"] = (
            "Tables, claims and figures made by the workflow in this crate, the metrics of every run and "
            "seed, and how each came about. Texts of the corpora, and tables that quote them, are left out."
        )
        root["datePublished"] = ends[-1]
        root["license"] = self.licence()
        root["conformsTo"] = [
            self.add(url, "CreativeWork", name=name, version=url.rpartition("/")[2])
            for url, name in PROFILES.items()
        ]
        root["mentions"] = [workflow_run, *steps]

    def licence(self) -> Entity:
        """The project's licence, or a statement that there is none."""
        for entity in self.crate.data_entities:
            if entity.id.startswith("LICENSE"):
                return entity
        description = "None is stated for the workflow and its results; the corpora have terms of their own."
        return self.add("#licence", "CreativeWork", name="No licence", description=description)
