/**
 * The stages of a compiled function as text, for a terminal of 100 columns.
 * @module
 */
import { describeFallback } from "@/engine/fallbacks.ts";
import type { Inspection } from "@/engine/inspect/inspection.ts";
import type {
  GraphStage,
  Group,
  GroupedNode,
  InstructionLine,
  MemoryBlock,
  MemoryPlan,
  NodeLine,
} from "@/engine/inspect/stages.ts";

/** A stage as text: its name, one sentence, and lines. */
export type TextStage = {
  readonly name: string;
  readonly title: string;
  readonly lines: readonly string[];
};

/** Stages after the graphs, in their order. */
const LATER = {
  onnx: "The operators that ONNX Runtime runs; i and o are inputs and outputs, t other values",
  groups:
    "Operations that share a loop nest, in the order in which they run, with their names in the C",
  c: "The generated C. V is a vector of LANES floats; ld and st load and store one, S repeats a " +
    "number, hsum and hmax reduce a vector, and forms with a mask m handle the last columns. P are the " +
    "pointers and N the numbers of the instruction, [r0, r1) the rows of one chunk, T scratch memory",
  instructions: "The table that the runtime runs; a barrier makes all threads wait for each other",
  memory: "Values in the arena over the instructions; values that never live together share bytes",
  time: "Time of a run by group; GFLOP/s count multiplications and additions, GB/s each value once",
  fallbacks:
    "What does not run as compiled code for all shapes, in the whole process, with the reason",
} as const;

/** All stages of an inspection as text, in the order of compilation. */
export function formatStages(inspection: Inspection): readonly TextStage[] {
  const { graphs, groups, kernels, instructions, operators, memory, runs } = inspection;
  const nameSize = sizeNamer(inspection.sizes);
  const lines: { readonly [K in keyof typeof LATER]: readonly string[] } = {
    onnx: operators,
    groups: groups.flatMap((group) => [...formatGroup(group, nameSize), ""]).slice(0, -1),
    c: kernels.flatMap(({ text }) => [...text.trimEnd().split("\n"), ""]).slice(0, -1),
    instructions: instructions.map(formatInstruction),
    memory: memory === null ? [] : formatMemory(memory, instructions.length),
    time: formatTimes(groups, runs, nameSize),
    fallbacks: inspection.fallbacks.map(describeFallback),
  };
  return [
    ...graphs.map((graph, i) => ({
      name: graph.name,
      title: graph.title,
      lines: formatGraph(graph, graphs[i - 1], nameSize),
    })),
    ...(Object.keys(LATER) as (keyof typeof LATER)[]).filter((name) =>
      name === "fallbacks" || (operators.length > 0) === (name === "onnx")
    ).map((name) => ({
      name,
      title: LATER[name],
      lines: lines[name].length === 0 ? ["none"] : lines[name],
    })),
  ];
}

/** Names of the stages, in order. */
export function listStages(inspections: readonly Inspection[]): readonly string[] {
  return [...new Set(inspections.flatMap((each) => formatStages(each).map(({ name }) => name)))];
}

/** The function and its compiler in one line. */
export function formatHead(
  { name, executor, version, threads, precision, sizes }: Inspection,
): string {
  const list = (named: { readonly [name: string]: number }) =>
    Object.entries(named).map(([name, size]) => `${name} = ${size}`).join(", ");
  const dynamic = sizes === null
    ? ""
    : `; called with ${list(sizes.called)}, graphs traced at ${list(sizes.traced)}`;
  return `${name}: ${executor} (${version}), ${threads} thread${
    threads === 1 ? "" : "s"
  }, ${precision}${dynamic}`;
}

/** All stages, or those named `only`. */
export function formatInspection(inspection: Inspection, only: string | null = null): string {
  const stages = formatStages(inspection).filter(({ name }) => only === null || name === only);
  return [
    formatHead(inspection),
    ...stages.map(({ name, title, lines }) => [`── ${name} ──`, title, "", ...lines].join("\n")),
  ].join("\n\n");
}

/** Writes a size at which a graph was traced; see {@link sizeNamer}. */
export type NameSize = (size: number) => string;

/**
 * Writes sizes of a function with dynamic dimensions as products of them, such as `4·B·T`. The samples at which it was
 * traced are primes that divide no other size, so the factors of a number name it.
 */
export function sizeNamer(sizes: Inspection["sizes"]): NameSize {
  const dimensions = Object.entries(sizes?.traced ?? {});
  return (size) => {
    let factor = size;
    const names = dimensions.flatMap(([name, prime]) => {
      const found: string[] = [];
      for (; factor > 0 && factor % prime === 0; factor /= prime) found.push(name);
      return found;
    });
    return [...(factor === 1 && names.length > 0 ? [] : [factor]), ...names].join("·");
  };
}

/** Type and shape: `float32 [B·T, 128]`. */
export function formatType(
  { dtype, shape }: Pick<NodeLine, "dtype" | "shape">,
  name: NameSize,
): string {
  return `${dtype} [${shape.map(name).join(", ")}]`;
}

/** The description of a view with its strides named. */
const nameStrides = (view: string, name: NameSize) =>
  /\b(strides|digits|offset)\b/.test(view)
    ? view.replace(/\d+/g, (digits) => name(Number(digits)))
    : view;

/** A node without its type: `%3 = mul %1 0.5`. Constants are written where they are read. */
export function formatNode(
  { id, operation, detail, operands }: NodeLine,
  name: NameSize,
): string {
  const read = operands.map(({ node, view, constant }) => {
    const operand = constant ?? `%${node}`;
    return view === "" ? operand : `${operand} (${nameStrides(view, name)})`;
  });
  const rest = [...read, ...(detail === "" ? [] : [nameStrides(detail, name)])].join(", ");
  return `%${id} = ${operation} ${rest}`.trimEnd();
}

const sameNodes = (a: GraphStage, b: GraphStage) =>
  JSON.stringify([a.nodes.map((node) => ({ ...node, from: null })), a.outputs]) ===
    JSON.stringify([b.nodes.map((node) => ({ ...node, from: null })), b.outputs]);

/** Counts of nodes by kind: "2 inputs, 9 operations". */
export function countNodes({ nodes }: GraphStage): string {
  const count = (one: string, many: string, fits: (operation: string) => boolean) => {
    const found = nodes.filter(({ operation }) => fits(operation)).length;
    return found === 0 ? [] : [`${found} ${found === 1 ? one : many}`];
  };
  const isGiven = (operation: string) => ["input", "constant", "data"].includes(operation);
  return [
    ...count("input", "inputs", (operation) => operation === "input"),
    ...count("constant", "constants", (operation) => isGiven(operation) && operation !== "input"),
    ...count("operation", "operations", (operation) => !isGiven(operation)),
  ].join(", ");
}

function formatGraph(
  graph: GraphStage,
  before: GraphStage | undefined,
  name: NameSize,
): string[] {
  if (before !== undefined && sameNodes(graph, before)) {
    return [`unchanged: ${countNodes(graph)}`];
  }
  const constants = new Map(
    graph.nodes.flatMap(({ id, operation, detail }) =>
      operation === "constant" ? [[id, detail] as const] : []
    ),
  );
  const rows = graph.nodes.filter(({ id }) => !constants.has(id))
    .map((node) => [formatNode(node, name), formatType(node, name)]);
  return [
    countNodes(graph),
    ...alignColumns(rows),
    ...graph.outputs.map(({ node, name, replaces }) =>
      `output ${name} = ${constants.get(node) ?? `%${node}`}${
        replaces === null ? "" : `, in the memory of input ${replaces}`
      }`
    ),
  ];
}

/** Widest first column that others are aligned to. */
const MOST_ALIGNED = 72;

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (most, row) =>
      row.map((cell, i) => Math.max(most[i] ?? 0, cell.length <= MOST_ALIGNED ? cell.length : 0)),
    [],
  );
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd());
}

/** What a group computes over: "loop nest over 64 rows × 128 columns in 3 loops". */
export function describeGroup(group: Group, name: NameSize): string {
  const { kind, loops, phases, epilogueOf, nodes } = group;
  const after = epilogueOf === null ? "" : `, epilogue of group ${epilogueOf}`;
  if (loops === null) {
    const last = nodes.at(-1);
    const result = last === undefined ? "" : ` to ${formatType(last, name)}`;
    return `${kind === "operation" ? last?.operation ?? kind : kind}${result}${after}`;
  }
  const { rows, columns, flat } = loops;
  const size = flat
    ? `${name(rows * columns)} elements`
    : `${name(rows)} rows × ${name(columns)} columns`;
  return `loop nest over ${size}${phases > 1 ? ` in ${phases} loops` : ""}${after}`;
}

/** Names of a group's operations, the first ones of many. */
export function listOperations({ nodes }: Group, most = 6): string {
  const names = nodes.map(({ operation }) => operation);
  return names.length <= most ? names.join(" ") : `${names.slice(0, most - 1).join(" ")} …`;
}

function formatGroup(group: Group, name: NameSize): string[] {
  const { id, nodes, reads, writes, instructions, kernel } = group;
  const list = (ids: readonly number[]) => ids.map((id) => `%${id}`).join(" ") || "nothing";
  return [
    `group ${id}: ${describeGroup(group, name)}`,
    ...alignColumns(
      nodes.map((node) => [
        `  ${formatNode(node, name)}`,
        formatType(node, name),
        describePlace(node),
        node.value ?? "",
      ]),
    ),
    `  reads ${list(reads)}, leaves ${list(writes)} in memory; instruction ${
      instructions.join(", ")
    }${kernel === null ? "" : `, C ${kernel}`}`,
  ];
}

/** Where a loop nest computes a node. */
export function describePlace({ role, loop, detail }: GroupedNode): string {
  switch (role) {
    case null:
      return "";
    case "full":
      return `loop ${loop}`;
    case "column":
      return `loop ${loop}, one value a column`;
    case "row":
      return `${detail.startsWith("over axes") ? "" : "before "}loop ${loop}, one value a row`;
  }
}

/** One instruction: `0  kernel  …`. */
export function formatInstruction(
  { opcode, groups, barrier, kernel, rows, cut, pointers, numbers }: InstructionLine,
  at: number,
): string {
  const places = pointers.map((place) =>
    place === null ? "-" : place.offset === 0 ? place.memory : `${place.memory} + ${place.offset}`
  );
  return [
    `${at}${barrier ? " barrier" : ""} ${opcode}${kernel === null ? "" : ` ${kernel}`}`,
    ...groups.map((group) => `group ${group}`),
    ...(rows === 0 ? [] : [`rows ${rows}${cut === 1 ? "" : ` cut by ${cut}`}`]),
    `P [${places.join("; ")}]`,
    `N [${numbers.join(" ")}]`,
  ].join(", ");
}

/** Columns of the drawing of the memory plan, and the most values in it. */
const DRAWING = 48, MOST_BLOCKS = 40;

/** Bytes in a unit that a person reads. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2
    ? `${(bytes / 1024).toFixed(1)} KiB`
    : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** The nodes of a block: "%3, %7"; scratch memory has none. */
export function describeBlock({ nodes }: MemoryBlock): string {
  if (nodes.length === 0) return "scratch";
  const [first, ...others] = nodes.map((id) => `%${id}`);
  return others.length > 2 ? `${first}, … ${others.at(-1)}` : [first, ...others].join(", ");
}

function formatMemory(
  { arenaBytes, constantBytes, scratchBytes, blocks }: MemoryPlan,
  count: number,
): string[] {
  const apart = blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  const columns = Math.min(count, DRAWING);
  const column = (instruction: number) => Math.floor(instruction * columns / count);
  const shown = blocks.toSorted((a, b) => b.bytes - a.bytes).slice(0, MOST_BLOCKS)
    .sort((a, b) => a.offset - b.offset || a.first - b.first);
  const rows = shown.map((block) => {
    const from = column(block.first), to = column(block.last) + 1;
    return [
      describeBlock(block),
      `bytes ${block.offset} to ${block.offset + block.bytes}`,
      `${block.first}–${block.last}`,
      `│${" ".repeat(from)}${"█".repeat(to - from)}${" ".repeat(columns - to)}│`,
    ];
  });
  const head = `arena ${formatBytes(arenaBytes)} for ${blocks.length} ${
    blocks.length === 1 ? "block" : "blocks"
  } of ${formatBytes(apart)} together; constants ${formatBytes(constantBytes)}; scratch memory ${
    formatBytes(scratchBytes)
  } a thread`;
  const left = blocks.length - shown.length;
  return [
    head,
    ...(rows.length === 0 ? [] : alignColumns([
      ["value", "place", "alive", "instructions →"],
      ...rows,
    ])),
    ...(left > 0 ? [`and ${left} smaller ones`] : []),
  ];
}

/** Time and throughput of a group, as cells: microseconds, share, GFLOP/s, GB/s. */
export function timeCells(
  { seconds, flops, bytes }: Group,
  { runs, total }: { readonly runs: number; readonly total: number },
): readonly string[] {
  const each = seconds / runs;
  return [
    (1e6 * each).toFixed(1),
    total > 0 ? `${(100 * seconds / total).toFixed(1)} %` : "",
    flops > 0 && each > 0 ? (flops / each / 1e9).toFixed(1) : "",
    bytes > 0 && each > 0 ? (bytes / each / 1e9).toFixed(1) : "",
  ];
}

function formatTimes(groups: readonly Group[], runs: number, name: NameSize): string[] {
  if (runs === 0) return groups.length === 0 ? [] : ["not run yet"];
  const total = groups.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = groups.map((group) => [
    `group ${group.id}`,
    describeGroup(group, name),
    listOperations(group),
    ...timeCells(group, { runs, total }),
  ]);
  const all = ["all", "", "", (1e6 * total / runs).toFixed(1), "", "", ""];
  const table = [["", "", "", "µs", "share", "GFLOP/s", "GB/s"], ...rows, all];
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0))) ??
    [];
  return [
    `mean of ${runs} runs`,
    ...table.map((row) =>
      row.map((cell, i) => i < 3 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))
        .join("  ").trimEnd()
    ),
  ];
}
