import type { Trace } from "@qkv/attention";
import type { TraceName } from "@qkv/attention-contract";
import { nearestName, type Checks } from "@qkv/core";
import { resident, type Tensor } from "@qkv/tensor";

/** The tensors that a layer of a model goes through, by name; those of its attention besides. */
export type LayerTraceName =
  /** The rows that enter the first layer, `[B, T, C]`. */
  | "embeddings"
  /** What attention adds, `[B, T, C]`. */
  | "attentionOutput"
  /** What attention to another sequence adds, `[B, T, C]`. */
  | "crossAttentionOutput"
  /** What the feed-forward layer adds, `[B, T, C]`. */
  | "feedForwardOutput"
  /** What leaves the layer, `[B, T, C]`. */
  | "output";

/**
 * Tensors by name, filled on the way. A name alone (`weights`, `output`) is filled for every layer; with a path
 * (`layers.1.attention.weights`) for that layer alone.
 */
export type ModelTrace = {
  readonly names: readonly (TraceName | "heads" | LayerTraceName | `layers.${number}.${string}`)[];
  /** Filled, under full names. */
  readonly tensors: Record<string, Tensor>;
  /** What stands before a name. */
  readonly path?: string;
  /**
   * What takes the place of a tensor on the way, by its full name: `embeddings`, `layers.0.attentionOutput`, `layers.0.feedForwardOutput`,
   * `layers.0.output`, and of each head `layers.0.attention.heads`. Default: nothing.
   */
  readonly interventions?: Readonly<Record<string, (x: Tensor) => Tensor>>;
};

/**
 * Refuses names that no tensor of a model of `numLayers` layers has: a trace would stay empty, and an intervention would change
 * nothing.
 */
export function checkTrace(check: Checks, trace: ModelTrace | undefined, numLayers: number): void {
  if (trace === undefined) return;
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  check.each({ trace, "trace.tensors": trace?.tensors }, isObject, "{ names, tensors }");
  check.list({ "trace.names": trace.names }, "names", (name) => typeof name === "string");
  const inLayer = [
    "attentionOutput",
    "feedForwardOutput",
    "output",
    ...attentionNames.map((name) => `attention.${name}`),
  ];
  const paths = Array.from({ length: numLayers }, (_, i) => inLayer.map((name) => `layers.${i}.${name}`));
  const full = ["embeddings", ...paths.flat()].map((path) => pathTo(trace, path));
  const short = ["embeddings", ...inLayer.map((path) => path.split(".").at(-1)!)];
  const known = (name: string) => short.includes(name) || full.some((path) => isPathOf(path, name));
  for (const [argument, names, choices] of [
    ["trace.names", trace.names, [...short, ...full]],
    ["trace.interventions", Object.keys(trace.interventions ?? {}), full],
  ] as const) {
    const wrong = names.find((name) => !(choices === full ? full.includes(name) : known(name)));
    if (wrong === undefined) continue;
    const meant = nearestName(wrong, choices);
    check.refuse({
      argument,
      received: wrong,
      expected:
        choices === full
          ? `full names of tensors, such as ${full[1]}`
          : `${short.join(", ")}, or one of these in one layer, such as ${full[1]}`,
      fix: meant
        ? `did you mean \`${meant}\`?`
        : `name a tensor of this model, whose layers are 0 to ${numLayers - 1}.`,
    });
  }
}

/** The same trace, one step further down. */
export function traceAt<T extends ModelTrace | undefined>(trace: T, step: string): T {
  return trace && { ...trace, path: pathTo(trace, step) };
}

/** Changes a tensor and fills it in, if that is asked for. What is traced outlives the scope of the layer. */
export function recordTensor(trace: ModelTrace | undefined, name: LayerTraceName, before: Tensor): Tensor {
  const x = trace?.interventions?.[pathTo(trace, name)]?.(before) ?? before;
  if (trace && isTraced(trace, name)) trace.tensors[pathTo(trace, name)] = resident(x);
  return x;
}

/** What is asked of the attention layer at a step of the path; undefined where nothing is. */
export function attentionTrace(trace: ModelTrace | undefined, step: string): Trace | undefined {
  const at = traceAt(trace, step);
  const names = at && attentionNames.filter((name) => isTraced(at, name));
  const changed = at?.interventions !== undefined && pathTo(at, "heads") in at.interventions;
  return at && names && (changed || names.length > 0) ? { ...at, names } : undefined;
}

const attentionNames: readonly (TraceName | "heads")[] = [
  "dots",
  "capped",
  "scores",
  "weights",
  "lse",
  "heads",
];

function pathTo({ path }: ModelTrace, name: string): string {
  return path ? `${path}.${name}` : name;
}

/** By its name alone, or by the path from the model down, whatever stands before it. */
function isTraced(trace: ModelTrace, name: TraceName | "heads" | LayerTraceName): boolean {
  const full = pathTo(trace, name);
  return trace.names.some((one) => one === name || isPathOf(full, one));
}

/** The full path of a tensor, or the end of it. */
function isPathOf(full: string, name: string): boolean {
  return full === name || full.endsWith(`.${name}`);
}
