import type { HeadTraceName, Trace } from "@qkv/attention";
import type { TraceName } from "@qkv/attention-contract";
import { nearestName, type Checks, knownNames } from "@qkv/core";
import { resident, type Tensor } from "@qkv/tensor";

/** Names of traced tensors of a layer, besides those of its attention. */
export type LayerTraceName =
  /** Input of the first layer, `[B, T, C]`. */
  | "embeddings"
  /** Residual stream that a layer reads, `[B, T, C]`. */
  | "input"
  /** Input of attention, after its norm if there is one, `[B, T, C]`. */
  | "attentionInput"
  /** Output of attention, before it is added to the residual, `[B, T, C]`. */
  | "attentionOutput"
  /** Output of cross-attention, before it is added to the residual, `[B, T, C]`. */
  | "crossAttentionOutput"
  /** Residual stream between attention and the feed-forward layer, if they are sequential, `[B, T, C]`. */
  | "middle"
  /** Input of the feed-forward layer, after its norm if there is one, `[B, T, C]`. */
  | "feedForwardInput"
  /** Neurons of a feed-forward layer, after activation and gate, `[B, T, F]`. Not available for experts. */
  | "feedForwardHidden"
  /** Output of the feed-forward layer, before it is added to the residual, `[B, T, C]`. */
  | "feedForwardOutput"
  /** Output of the layer, `[B, T, C]`. */
  | "output"
  /** Input of the final norm of a decoder, `[B, T, C]`. */
  | "finalInput";

/**
 * Records tensors by name during a call. A short name (`weights`, `output`) records the tensor of every layer; a full name
 * (`layers.1.attention.weights`) only that of one layer.
 *
 * Short names: `embeddings`; `input`, `attentionInput`, `attentionOutput`, `crossAttentionOutput`, `middle`, `feedForwardInput`,
 * `feedForwardHidden`, `feedForwardOutput` and `output` of a layer; `query`, `key`, `value`, `dots`, `capped`, `scores`, `weights`,
 * `lse` and `heads` of its attention; and `finalInput`.
 */
export type ModelTrace = {
  readonly names: readonly (
    TraceName | HeadTraceName | LayerTraceName | `${"" | "encoder." | "decoder."}layers.${number}.${string}`
  )[];
  /** Receives the tensors, by full name. */
  readonly tensors: Record<string, Tensor>;
  /** Prefix of the full names. */
  readonly path?: string;
  /**
   * Functions that replace a tensor, by full name: `embeddings`, tensors of a layer such as `layers.0.output`, and of its heads:
   * `layers.0.attention.query`, `key`, `value`, `weights` and `heads`. If `weights` is replaced, queries and keys get no
   * gradient through it. To use a tensor in the function of a later layer, keep it with `resident`: others are freed at the end of their layer.
   * Default: none.
   */
  readonly interventions?: Readonly<Record<string, (x: Tensor) => Tensor>>;
};

/** Layers of a model whose tensors are traced. */
export type TracedLayers = {
  /** Prefix of the names: `encoder`. Default: none. */
  readonly path?: string;
  /** For each layer, true if it is recurrent and has no scores. */
  readonly recurrent: readonly boolean[];
  /** True: layers have cross-attention. Default false. */
  readonly crossAttention?: boolean;
  /** Names of tensors after the layers. Default: none. */
  readonly afterLayers?: readonly LayerTraceName[];
};

/**
 * Refuses names of tensors that the model does not have: they would have no effect.
 *
 * @param stacks - The layer stacks of the model; most models have one.
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
    ...layerNames,
    ...(crossed ? ["crossAttentionOutput"] : []),
    ...names.map((name) => `attention.${name}`),
    ...(crossed ? names.map((name) => `crossAttention.${name}`) : []),
  ];
  const stackPaths = ({ path, recurrent, crossAttention, afterLayers = [] }: TracedLayers) =>
    [
      "embeddings",
      ...recurrent.flatMap((isRecurrent, i) =>
        inLayer(attentionTensorNames(isRecurrent), crossAttention).map((name) => `layers.${i}.${name}`),
      ),
      ...afterLayers,
    ].map((name) => pathTo(trace, path === undefined ? name : `${path}.${name}`));
  const full = stacks.flatMap(stackPaths);
  const crossed = stacks.some(({ crossAttention }) => crossAttention);
  const tensorsInLayer = inLayer(attentionNames, crossed).map((path) => path.split(".").at(-1)!);
  const short = [
    "embeddings",
    ...new Set(tensorsInLayer),
    ...stacks.flatMap(({ afterLayers = [] }) => afterLayers),
  ];
  const isKnown = (name: string) => short.includes(name) || full.some((path) => endsInName(path, name));
  const replaceable = full.filter((name) => !computedInside.some((internal) => endsInName(name, internal)));
  for (const [argument, names, choices] of [
    ["trace.names", trace.names, [...short, ...full]],
    ["trace.interventions", Object.keys(trace.interventions ?? {}), replaceable],
  ] as const) {
    const wrong = names.find(
      (name) => !(choices === replaceable ? replaceable.includes(name) : isKnown(name)),
    );
    if (wrong === undefined) continue;
    const nearest = nearestName(wrong, choices);
    check.refuse({
      argument,
      received: wrong,
      expected:
        choices === replaceable
          ? `full names of tensors, such as ${full[1]}`
          : `${knownNames(wrong, short, "the reference of `ModelTrace`")}, or one of these in one layer, such as ${full[1]}`,
      fix: nearest
        ? `did you mean \`${nearest}\`?`
        : `name a tensor of this model, whose layers are 0 to ${Math.max(...stacks.map(({ recurrent }) => recurrent.length)) - 1}.`,
    });
  }
}

/** A copy of the trace with `step` appended to its path. */
export function traceAt<T extends ModelTrace | undefined>(trace: T, step: string): T {
  return trace && { ...trace, path: pathTo(trace, step) };
}

/** Applies the intervention of a tensor, if there is one, and records it if it is traced. Recorded tensors outlive the scope of the layer. */
export function recordTensor(
  trace: ModelTrace | undefined,
  name: LayerTraceName | "heads",
  before: Tensor,
): Tensor {
  const x = trace?.interventions?.[pathTo(trace, name)]?.(before) ?? before;
  if (trace && isTraced(trace, name)) trace.tensors[pathTo(trace, name)] = resident(x);
  return x;
}

/** The trace of an attention layer, with its path; undefined if none of its tensors is traced. A recurrent layer has no scores. */
export function attentionTrace(
  trace: ModelTrace | undefined,
  step: string,
  recurrent = false,
): Trace | undefined {
  if (!trace) return undefined;
  const stepTrace = traceAt(trace, step);
  const names = attentionTensorNames(recurrent).filter((name) => isTraced(stepTrace, name));
  const changed = attentionTensorNames(recurrent).some(
    (name) => stepTrace.interventions?.[pathTo(stepTrace, name)] !== undefined,
  );
  return changed || names.length > 0 ? { ...stepTrace, names } : undefined;
}

/** Names of the tensors of a layer outside its attention. */
export const layerNames: readonly LayerTraceName[] = [
  "input",
  "attentionInput",
  "attentionOutput",
  "middle",
  "feedForwardInput",
  "feedForwardHidden",
  "feedForwardOutput",
  "output",
];

/** Names of tensors inside one operation: they can be recorded, but not replaced. */
const computedInside: readonly TraceName[] = ["dots", "capped", "scores", "lse"];

/** Names of the tensors of an attention layer. */
export const attentionNames: readonly (TraceName | HeadTraceName)[] = [
  "query",
  "key",
  "value",
  "dots",
  "capped",
  "scores",
  "weights",
  "lse",
  "heads",
];

const attentionTensorNames = (recurrent: boolean): readonly (TraceName | HeadTraceName)[] =>
  recurrent ? ["heads"] : attentionNames;

function pathTo({ path }: ModelTrace, name: string): string {
  return path ? `${path}.${name}` : name;
}

/** True if a tensor is to be recorded, by its full or short name. */
function isTraced(trace: ModelTrace, name: TraceName | HeadTraceName | LayerTraceName): boolean {
  const full = pathTo(trace, name);
  return trace.names.some((traced) => traced === name || endsInName(full, traced));
}

/** True if a full path equals a name or ends with it. */
function endsInName(full: string, name: string): boolean {
  return full === name || full.endsWith(`.${name}`);
}

/** True if a tensor is recorded or replaced. */
export function isWanted(trace: ModelTrace | undefined, name: LayerTraceName): boolean {
  return trace !== undefined && (isTraced(trace, name) || pathTo(trace, name) in (trace.interventions ?? {}));
}
