import type { Trace } from "@qkv/attention";
import type { TraceName } from "@qkv/attention-contract";
import { nearestName, type Checks } from "@qkv/core";
import { resident, type Tensor } from "@qkv/tensor";

/** Names of traced tensors of a layer, besides those of its attention. */
export type LayerTraceName =
  /** Input of the first layer, `[B, T, C]`. */
  | "embeddings"
  /** Output of attention, before it is added to the residual, `[B, T, C]`. */
  | "attentionOutput"
  /** Output of cross-attention, before it is added to the residual, `[B, T, C]`. */
  | "crossAttentionOutput"
  /** Output of the feed-forward layer, before it is added to the residual, `[B, T, C]`. */
  | "feedForwardOutput"
  /** Output of the layer, `[B, T, C]`. */
  | "output";

/**
 * Tensors by name, filled on the way. A name alone (`weights`, `output`) is filled for every layer; with a path
 * (`layers.1.attention.weights`) for that layer alone.
 */
export type ModelTrace = {
  readonly names: readonly (
    TraceName | "heads" | LayerTraceName | `${"" | "encoder." | "decoder."}layers.${number}.${string}`
  )[];
  /** Filled, under full names. */
  readonly tensors: Record<string, Tensor>;
  /** Prefix of the full names. */
  readonly path?: string;
  /**
   * Functions that replace a tensor, by its full name: `embeddings`, `layers.0.attentionOutput`, `layers.0.feedForwardOutput`,
   * `layers.0.output`, and of each head `layers.0.attention.heads`. Default: nothing.
   */
  readonly interventions?: Readonly<Record<string, (x: Tensor) => Tensor>>;
};

/** Layers of a model whose tensors are traced. */
export type TracedLayers = {
  /** Path in front of their names: `encoder`. Default: none. */
  readonly path?: string;
  /** Of each layer, true where it has a state in place of scores. */
  readonly recurrent: readonly boolean[];
  /** True: they attend to another sequence too. Default false. */
  readonly crossAttention?: boolean;
};

/**
 * Refuses names that no tensor of a model has: a trace would stay empty, and an intervention would change nothing.
 *
 * @param stacks - Of most models, one: the layers that it has.
 */
export function checkTrace(
  check: Checks,
  trace: ModelTrace | undefined,
  ...stacks: readonly TracedLayers[]
): void {
  if (trace === undefined) return;
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  check.each({ trace, "trace.tensors": trace?.tensors }, isObject, "{ names, tensors }");
  check.list({ "trace.names": trace.names }, "names", (name) => typeof name === "string");
  const inLayer = (names: readonly string[], crossed = false) => [
    "attentionOutput",
    ...(crossed ? ["crossAttentionOutput"] : []),
    "feedForwardOutput",
    "output",
    ...names.map((name) => `attention.${name}`),
    ...(crossed ? names.map((name) => `crossAttention.${name}`) : []),
  ];
  const pathsOf = ({ path, recurrent, crossAttention }: TracedLayers) =>
    [
      "embeddings",
      ...recurrent.flatMap((isRecurrent, i) =>
        inLayer(namesOf(isRecurrent), crossAttention).map((name) => `layers.${i}.${name}`),
      ),
    ].map((name) => pathTo(trace, path === undefined ? name : `${path}.${name}`));
  const full = stacks.flatMap(pathsOf);
  const crossed = stacks.some(({ crossAttention }) => crossAttention);
  const ofLayer = inLayer(attentionNames, crossed).map((path) => path.split(".").at(-1)!);
  const short = ["embeddings", ...new Set(ofLayer)];
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
        : `name a tensor of this model, whose layers are 0 to ${Math.max(...stacks.map(({ recurrent }) => recurrent.length)) - 1}.`,
    });
  }
}

/** The same trace under a longer path. */
export function traceAt<T extends ModelTrace | undefined>(trace: T, step: string): T {
  return trace && { ...trace, path: pathTo(trace, step) };
}

/** Applies an intervention and records the tensor, if asked for. Recorded tensors outlive the scope of the layer. */
export function recordTensor(
  trace: ModelTrace | undefined,
  name: LayerTraceName | "heads",
  before: Tensor,
): Tensor {
  const x = trace?.interventions?.[pathTo(trace, name)]?.(before) ?? before;
  if (trace && isTraced(trace, name)) trace.tensors[pathTo(trace, name)] = resident(x);
  return x;
}

/** The trace of the attention layer under a path; undefined if nothing is traced. A recurrent layer has no scores. */
export function attentionTrace(
  trace: ModelTrace | undefined,
  step: string,
  recurrent = false,
): Trace | undefined {
  const at = traceAt(trace, step);
  const names = at && namesOf(recurrent).filter((name) => isTraced(at, name));
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

const namesOf = (recurrent: boolean): readonly (TraceName | "heads")[] =>
  recurrent ? ["heads"] : attentionNames;

function pathTo({ path }: ModelTrace, name: string): string {
  return path ? `${path}.${name}` : name;
}

/** True if a tensor is asked for by name, or by the end of its path. */
function isTraced(trace: ModelTrace, name: TraceName | "heads" | LayerTraceName): boolean {
  const full = pathTo(trace, name);
  return trace.names.some((one) => one === name || isPathOf(full, one));
}

/** The full path of a tensor, or the end of it. */
function isPathOf(full: string, name: string): boolean {
  return full === name || full.endsWith(`.${name}`);
}
