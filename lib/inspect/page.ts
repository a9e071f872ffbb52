/**
 * The stages of compiled functions as one self-contained page. A group, its operations in every graph, its C, its
 * instructions and its time link to each other; pointing at one of them highlights the others.
 * @module
 */
import {
  describeBlock,
  describeGroup,
  describePlace,
  formatHead,
  formatInstruction,
  formatStages,
  formatType,
  listOperations,
  type NameSize,
  sizeNamer,
  type TextStage,
  timeCells,
} from "@/engine/inspect/format_text.ts";
import type { Inspection } from "@/engine/inspect/inspection.ts";
import type { GraphStage, Group, MemoryPlan, NodeLine } from "@/engine/inspect/stages.ts";
import type { Figure } from "@/report/figures/figure.ts";
import { memoryFigure } from "@/report/figures/memory_figure.ts";
import { escapeXml } from "@/report/figures/frame.ts";
import { composePage } from "@/report/html.ts";

/** Number of lines from which a listing is folded. */
const LONG = 80;

/** Renders the page of the programs of a function. */
export function renderInspection(title: string, inspections: readonly Inspection[]): string {
  const isOnly = inspections.length === 1;
  const parts = inspections.map((inspection, i) =>
    new ProgramPart(inspection, `p${i}`, isOnly ? 2 : 3)
  );
  const contents = parts.map(({ id, inspection, sections }) => {
    const stages = sections.map(({ name }) => `<li><a href="#${id}-${name}">${name}</a></li>`);
    return isOnly
      ? stages.join("\n")
      : `<li><a href="#${id}">${escapeXml(inspection.name)}</a>\n<ul>${stages.join("")}</ul></li>`;
  });
  const body = `<h1>${escapeXml(title)}</h1>
<p>How the engine compiles this function, stage by stage. Names of nodes, groups and instructions are links; pointing at
a part of a group highlights its operations, its C, its instructions and its time.</p>
<nav aria-label="Contents">
<ul>${contents.join("\n")}</ul>
</nav>
${
    parts.map((part) =>
      (isOnly ? "" : `<h2 id="${part.id}">${escapeXml(part.inspection.name)}</h2>\n`) +
      part.render()
    ).join("\n")
  }`;
  return composePage({ title: `${title}: compiled`, body, style: STYLE, script: SCRIPT });
}

/** A section of a program: a stage. */
type Section = { readonly name: string; readonly title: string; readonly html: string };

/** The part of the page on one program. `id` begins all its anchors, `level` is that of its headings. */
class ProgramPart {
  readonly sections: readonly Section[];
  #name: NameSize;
  /** Groups by stage and node. */
  #groups: ReadonlyMap<string, ReadonlyMap<number, number>>;

  /** Nodes that the page lists, by stage; a graph that is equal to the one before it is not listed again. */
  #anchors: ReadonlyMap<string, ReadonlySet<number>>;

  constructor(readonly inspection: Inspection, readonly id: string, readonly level: number) {
    this.#name = sizeNamer(inspection.sizes);
    this.#groups = groupsOfNodes(inspection);
    const stages = formatStages(inspection);
    const repeated = new Set(
      stages.filter(({ lines }) => isUnchanged(lines)).map(({ name }) => name),
    );
    this.#anchors = new Map(
      inspection.graphs.filter(({ name }) => !repeated.has(name)).map(({ name, nodes }) => [
        name,
        new Set(
          nodes.filter(({ operation }) => operation !== "constant").map(({ id }) => id),
        ),
      ]),
    );
    this.sections = stages
      .filter(({ lines: [only, ...others] }) => only !== "none" || others.length > 0)
      .map((stage) => ({ ...stage, html: this.#section(stage) }));
  }

  render(): string {
    const { id, inspection, level, sections } = this;
    const shown = sections.map(({ name, title, html }) =>
      `<section>\n<h${level} id="${id}-${name}">${name}</h${level}>\n<p>${
        escapeXml(title)
      }.</p>\n${html}\n</section>`
    );
    return `<p>${escapeXml(formatHead(inspection))}</p>\n${shown.join("\n")}\n`;
  }

  /** A heading below that of the stage. */
  #heading(id: string, html: string): string {
    const level = this.level + 1;
    return `<h${level} class="part" id="${id}">${html}</h${level}>`;
  }

  #section({ name, lines }: TextStage): string {
    const { graphs, groups, instructions } = this.inspection;
    const graph = graphs.find((each) => each.name === name);
    if (graph !== undefined) {
      return isUnchanged(lines)
        ? `<p>${escapeXml(lines[0] ?? "")}</p>`
        : this.#graph(graph, lines[0] ?? "");
    }
    switch (name) {
      case "groups":
        return fold(
          groups.map((group) => this.#group(group)).join("\n"),
          groups.reduce((sum, { nodes }) => sum + nodes.length, 0),
          `operations in ${groups.length} groups`,
        );
      case "c":
        return this.#kernels();
      case "instructions":
        return fold(
          `<ol class="listing" start="0">${
            instructions.map((instruction, i) =>
              `<li id="${this.id}-i${i}"${this.#mark(...instruction.groups)}><code>${
                this.#linkParts(escapeXml(formatInstruction(instruction, i)), instruction.kernel)
              }</code></li>`
            ).join("\n")
          }</ol>`,
          instructions.length,
          "instructions",
        );
      case "memory":
        return this.#memory(lines);
      case "time":
        return this.#times(lines[0] ?? "");
      default:
        return `<ul class="listing">${
          lines.map((line) => `<li><code>${escapeXml(line)}</code></li>`).join("\n")
        }</ul>`;
    }
  }

  /** The attribute that highlights an element together with its groups. */
  #mark(...groups: readonly number[]): string {
    const ids = groups.map((group) => `${this.id}-g${group}`);
    return ids.length === 0 ? "" : ` data-group="${ids.join(" ")}"`;
  }

  #group(group: Group): string {
    const { id, kernel, instructions, nodes, reads, writes } = group;
    const last = this.inspection.graphs.at(-1)?.name ?? "";
    const rows = nodes.map((node) =>
      this.#nodeRow(node, last, { place: describePlace(node), value: node.value })
    );
    const list = (ids: readonly number[]) =>
      ids.map((node) => this.#nodeLink(last, node)).join(" ") || "nothing";
    const after = [
      `reads ${list(reads)}, leaves ${list(writes)} in memory`,
      ...instructions.map((i) => `<a href="#${this.id}-i${i}">instruction ${i}</a>`),
      ...(kernel === null ? [] : [`<a href="#${this.id}-${kernel}">C</a>`]),
      `<a href="#${this.id}-t${id}">time</a>`,
    ];
    return `<div class="group"${this.#mark(id)}>
${this.#heading(`${this.id}-g${id}`, `group ${id}: ${escapeXml(describeGroup(group, this.#name))}`)}
<div class="table-frame"><table>${headOf("node", "operation", "type", "place", "in the C")}<tbody>${
      rows.join("\n")
    }</tbody></table></div>
<p>${after.join("; ")}.</p>
</div>`;
  }

  /** A link to the node of a stage; nodes that no listing has get none. */
  #nodeLink(stage: string, node: number): string {
    const found = this.#anchors.get(stage)?.has(node)
      ? stage
      : stage === "lower" && this.#anchors.get("prepare")?.has(node)
      ? "prepare"
      : null;
    return found === null ? `%${node}` : `<a href="#${this.id}-${found}-n${node}">%${node}</a>`;
  }

  /** A node as a row of a table, with links from its operands: of a graph with an anchor, or of a group. */
  #nodeRow(
    node: NodeLine,
    stage: string,
    { place, value = null }: { readonly place: string | null; readonly value?: string | null },
  ): string {
    const operands = node.operands.map(({ node, view, constant }) =>
      `${constant === null ? this.#nodeLink(stage, node) : escapeXml(constant)}${
        view === "" ? "" : ` <small>${escapeXml(view)}</small>`
      }`
    );
    const detail = node.detail === "" ? [] : [`<small>${escapeXml(node.detail)}</small>`];
    const group = this.#groups.get(stage)?.get(node.id);
    const cells = [
      `<code>%${node.id}</code>`,
      `<code>${escapeXml(node.operation)} ${[...operands, ...detail].join(", ")}</code>`,
      `<code>${escapeXml(formatType(node, this.#name))}</code>`,
      ...(place === null
        ? [group === undefined ? "" : `<a href="#${this.id}-g${group}">group ${group}</a>`]
        : [escapeXml(place), value === null ? "" : `<code>${escapeXml(value)}</code>`]),
    ];
    const own = place === null
      ? ` id="${this.id}-${stage}-n${node.id}"${group === undefined ? "" : this.#mark(group)}`
      : "";
    return `<tr${own}>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  }

  #graph(graph: GraphStage, count: string): string {
    const rows = graph.nodes.filter(({ operation }) => operation !== "constant")
      .map((node) => this.#nodeRow(node, graph.name, { place: null }));
    const outputs = graph.outputs.map(({ node, name, replaces }) =>
      `<code>${escapeXml(name)}</code> = ${this.#nodeLink(graph.name, node)}${
        replaces === null ? "" : ` in the memory of input <code>${escapeXml(replaces)}</code>`
      }`
    );
    const table = `<div class="table-frame"><table>${
      headOf("node", "operation", "type", "group")
    }<tbody>${rows.join("\n")}</tbody></table></div>`;
    return `<p>${escapeXml(count)}; ${graph.outputs.length === 1 ? "output" : "outputs"} ${
      outputs.join(", ")
    }.</p>\n${fold(table, rows.length, "nodes")}`;
  }

  #kernels(): string {
    const { kernels, groups } = this.inspection;
    return kernels.map(({ name, text }) => {
      const users = groups.filter(({ kernel }) => kernel === name);
      const links = users.map(({ id }) => `<a href="#${this.id}-g${id}">group ${id}</a>`);
      const lines = text.trimEnd().split("\n").length;
      const pre = `<pre tabindex="0"${this.#mark(...users.map(({ id }) => id))}><code>${
        escapeXml(text.trimEnd())
      }</code></pre>`;
      return `${
        this.#heading(`${this.id}-${name}`, `<code>${escapeXml(name)}</code>`)
      }\n<p>Used by ${links.join(", ")}.</p>\n${fold(pre, lines, "lines of C")}`;
    }).join("\n");
  }

  #memory([head = "", ...lines]: readonly string[]): string {
    const { memory, instructions } = this.inspection;
    const text = `<p>${escapeXml(head)}.</p>`;
    if (memory === null || memory.blocks.length === 0) return text;
    const figure = memoryPlanFigure(memory, instructions.length);
    const svg = figure.svg.trim().replace(/ aria-label="[^"]*"/g, ""); // of marks: the figure has a description
    return `${text}\n<p><span class="figure-frame" tabindex="0">${svg}</span></p>
<details><summary>The same as text</summary>\n<pre tabindex="0"><code>${
      escapeXml(lines.join("\n"))
    }</code></pre></details>`;
  }

  #times(head: string): string {
    const { groups, runs } = this.inspection;
    if (runs === 0) return `<p>${escapeXml(head)}.</p>`;
    const total = groups.reduce((sum, { seconds }) => sum + seconds, 0);
    const rows = groups.map((group) => {
      const { id, seconds } = group;
      const [time = "", share = "", ...rates] = timeCells(group, { runs, total });
      const width = total > 0 ? (100 * seconds / total).toFixed(1) : "0";
      const cells = [time, ...rates].map((cell) => `<td class="number">${cell}</td>`);
      return `<tr id="${this.id}-t${id}"${
        this.#mark(id)
      }><td><a href="#${this.id}-g${id}">group ${id}</a></td>` +
        `<td class="work">${escapeXml(describeGroup(group, this.#name))}<br><small>${
          escapeXml(listOperations(group))
        }</small></td>` +
        `<td class="share"><span class="bar" style="width:${width}%"></span>${share}</td>${
          cells.join("")
        }</tr>`;
    });
    return `<p>${escapeXml(head)}; ${(1e6 * total / runs).toFixed(1)} µs together.</p>
<div class="table-frame"><table><thead><tr><th>group</th><th>work</th><th>share</th><th class="number">µs</th>` +
      `<th class="number">GFLOP/s</th><th class="number">GB/s</th></tr></thead><tbody>${
        rows.join("\n")
      }</tbody></table></div>`;
  }

  /** Links the groups and the C that the line of an instruction names. */
  #linkParts(html: string, kernel: string | null): string {
    const linked = html.replace(/\bgroup (\d+)\b/g, `<a href="#${this.id}-g$1">group $1</a>`);
    return kernel === null
      ? linked
      : linked.replace(kernel, `<a href="#${this.id}-${kernel}">${kernel}</a>`);
  }
}

/** The memory plan of a program of `instructions` instructions as a figure. */
export function memoryPlanFigure(
  { arenaBytes, blocks }: MemoryPlan,
  instructions: number,
): Figure {
  const boxes = blocks.map((block) => ({
    ...block,
    label: describeBlock(block),
    isScratch: block.nodes.length === 0,
  }));
  return memoryFigure(boxes, { arenaBytes, instructions });
}

/** The group that computes each node, by stage. Ids of a stage lead to those of the stage before it. */
function groupsOfNodes(
  { graphs, groups }: Inspection,
): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const stages = new Map<string, ReadonlyMap<number, number>>();
  let current = new Map(groups.flatMap(({ id, nodes }) => nodes.map((node) => [node.id, id])));
  for (const [i, { name, nodes }] of graphs.entries().toArray().toReversed()) {
    stages.set(name, current);
    // a listing of the same nodes has the same ids
    if (name === "lower" || nodes.every(({ from }) => from === null)) continue;
    if (i === 0) break;
    const before = new Map<number, number>();
    for (const { id, from } of nodes) {
      const group = current.get(id);
      if (from !== null && group !== undefined) before.set(from, group);
    }
    current = before;
  }
  return stages;
}

const isUnchanged = ([first = ""]: readonly string[]) => first.startsWith("unchanged");

/** Folds content of many lines. */
function fold(html: string, lines: number, what: string): string {
  return lines <= LONG ? html : `<details><summary>${lines} ${what}</summary>\n${html}\n</details>`;
}

const headOf = (...names: readonly string[]) =>
  `<thead><tr>${names.map((name) => `<th>${name}</th>`).join("")}</tr></thead>`;

const STYLE = `section td { white-space: nowrap; vertical-align: top; }
.part { margin: 1.5rem 0 .5rem; scroll-margin-top: 1rem; font-size: 1rem; line-height: 1.4; overflow-wrap: anywhere; }
small { color: var(--quiet); }
td code, .listing code { background: none; padding: 0; }
.listing { padding-left: 0; list-style: none; overflow-x: auto; }
.listing li { max-width: none; padding: .2rem .4rem .2rem 2rem; text-indent: -1.6rem; }
.lit .table-frame { background: none; }
.group { margin: 1rem 0; padding: .1rem 1rem; border-left: 3px solid var(--line); }
.group .part { margin-top: .5rem; }
.lit { border-radius: 4px; }
section td.work { min-width: 11rem; white-space: normal; }
.share { position: relative; min-width: 7rem; }
.bar { display: block; height: .4rem; margin: .3rem 0; border-radius: 2px; background: var(--link); }
pre code { font-size: .8rem; }
:target { outline: 2px solid var(--link); outline-offset: 2px; }
.lit { background: color-mix(in srgb, var(--link) 14%, transparent); border-color: var(--link); }
a code { color: inherit; }
`;

/** Highlights all parts of a group while the pointer or the focus is on one of them, and opens folded targets. */
const SCRIPT = `const marked = [...document.querySelectorAll("[data-group]")];
const groupsOf = (element) => element ? element.dataset.group.split(" ") : [];
const light = ({ target }) => {
  const groups = new Set(groupsOf(target.closest("[data-group]")));
  for (const each of marked) each.classList.toggle("lit", groupsOf(each).some((group) => groups.has(group)));
};
for (const event of ["pointerover", "focusin"]) document.addEventListener(event, light);
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target?.closest("details:not([open])");
  if (folded) { folded.open = true; target.scrollIntoView(); }
};
addEventListener("hashchange", open);
open();
`;
