import { ArgumentError, checks } from "@qkv/core";
import { checkFormats, checkPositive, checkWhole } from "./check-call.js";
import { cost } from "./cost.js";
import type { Formats } from "./formats.js";
import { estimate, type Layout } from "./estimate.js";
import { checkMachine, type Machine } from "./machine.js";
import { memory } from "./memory.js";
import type { ModelShape } from "./model-shape.js";
import { readConfig } from "./read-config.js";

/** The requirements of a service. */
export type PlanRequest = {
  /** Concurrent users. */
  users: number;
  /** Tokens in the KV cache of each user. */
  contextLength: number;
  /** Minimum decode speed of each user. */
  tokensPerSecond: number;
  machine: Machine;
  formats?: Partial<Formats>;
  /** Fraction of the machine's peak compute and bandwidth that is reached, 0 to 1. Default 0.6. */
  efficiency?: number;
  /** Fraction of the memory that weights and caches may fill, 0 to 1. Default 0.9. */
  memoryShare?: number;
};

/** Machines and speeds of a service. */
export type Plan = {
  /** Total number of machines: `replicas` times those of one replica. */
  readonly machines: number;
  /** Number of copies of the model. */
  readonly replicas: number;
  readonly layout: Layout;
  /** Concurrent users of one copy. */
  readonly batchSize: number;
  /** Time of one decoding step for all users of a copy. */
  readonly stepMs: number;
  /** Decode speed of each user. */
  readonly tokensPerSecond: number;
  /** Decode speed summed over all users. */
  readonly totalTokensPerSecond: number;
  /** Memory use of each machine. */
  readonly bytesPerMachine: number;
  /** All assumptions, as sentences. */
  readonly assumptions: readonly string[];
};

/**
 * Plans the number of machines of a service, and the layout of the model on them: the layout with the fewest machines whose
 * memory fits the caches of all users, and which reaches the required speed for each user.
 *
 * @param config - A configuration for {@link readConfig}, or a shape.
 * @throws {ArgumentError} If a figure is not above 0, or no layout of these machines is fast enough for a single user.
 *
 * @example
 * ```ts
 * import { machines, plan } from "@qkv/cost";
 *
 * const llama70b = {
 *   model_type: "llama", hidden_size: 8192, num_hidden_layers: 80, num_attention_heads: 64, num_key_value_heads: 8,
 *   intermediate_size: 28672, vocab_size: 128256,
 * };
 * const request = { users: 1000, contextLength: 8192, tokensPerSecond: 20, machine: machines.h100 };
 * const { machines: count, layout } = plan(llama70b, request);
 * count % (layout.tensor * layout.pipeline); // => 0
 * plan(llama70b, { users: 1, contextLength: 8192, tokensPerSecond: 9999, machine: machines.h100 }); // => throws ArgumentError: tokensPerSecond
 * ```
 */
export function plan(config: unknown, request: PlanRequest): Plan {
  const check = checks("plan");
  const names = ["users", "contextLength", "tokensPerSecond", "machine", "formats"] as const;
  const options = check.options(request, [...names, "efficiency", "memoryShare"], "request");
  const { users, contextLength, tokensPerSecond, machine } = options;
  const { efficiency = 0.6, memoryShare = 0.9 } = options;
  checkWhole(check, { users }, 1, "users");
  checkWhole(check, { contextLength }, 1, "tokens");
  checkPositive(check, { tokensPerSecond }, "tokens per second");
  checkPositive(check, { efficiency }, "parts of the machine's figures");
  checkPositive(check, { memoryShare }, "parts of the memory");
  checkMachine(check, machine);
  checkFormats(check, options.formats);
  const isConfig = (value: unknown) =>
    typeof value === "string" || (typeof value === "object" && value !== null && !Array.isArray(value));
  check.each(
    { config },
    isConfig,
    "a configuration, or the shape of a model",
    "give the object in a config.json.",
  );
  const shape = isShape(config) ? config : readConfig(config);
  const deratedMachine: Machine = {
    ...machine,
    bytesPerSecond: machine.bytesPerSecond * efficiency,
    flopsPerSecond: machine.flopsPerSecond * efficiency,
    ...(machine.levels && {
      levels: machine.levels.map((level) => ({
        ...level,
        bytesPerSecond: level.bytesPerSecond * efficiency,
      })),
    }),
  };
  const target = { shape, request, machine: deratedMachine, memoryBytes: machine.memoryBytes * memoryShare };
  const candidates = layouts(shape, machine).flatMap((layout) => candidate(layout, target) ?? []);
  const best = candidates.reduce<Candidate | undefined>(
    (best, next) => (!best || next.machines < best.machines ? next : best),
    undefined,
  );
  if (!best) throw noLayoutError(target);
  return {
    ...best,
    totalTokensPerSecond: best.tokensPerSecond * users,
    assumptions: describeAssumptions(request, { efficiency, memoryShare }, shape),
  };
}

type Target = { shape: ModelShape; request: PlanRequest; machine: Machine; memoryBytes: number };
type Candidate = Omit<Plan, "assumptions" | "totalTokensPerSecond">;

/** Tensor parallelism up to the machines that the link connects, and pipeline parallelism of up to 64 stages. */
function layouts(shape: ModelShape, { link }: Machine): Layout[] {
  const layers = Math.max(shape.encoder?.layers.length ?? 0, shape.decoder?.layers.length ?? 0);
  const powersOfTwo = (max: number) =>
    Array.from({ length: 12 }, (_, i) => 2 ** i).filter((n) => n <= Math.max(1, max));
  const groups = link ? powersOfTwo(Math.min(64, layers)) : [1];
  return powersOfTwo(link?.machines ?? 1).flatMap((tensor) =>
    groups.map((pipeline) => ({ tensor, pipeline })),
  );
}

/** The largest batch of a layout that fits in memory and reaches the speed; undefined if not even one user does. */
function candidate(layout: Layout, target: Target): Candidate | undefined {
  const { shape, request, machine, memoryBytes } = target;
  const { users, contextLength, tokensPerSecond, formats = {} } = request;
  const perReplica = layout.tensor * layout.pipeline;
  const bytesPerMachine = (batchSize: number) => {
    const use = memory(shape, { contextLength, batchSize, formats });
    return (
      use.weightBytes / perReplica +
      (use.cacheBytes * kvHeadCopies(shape, layout)) / perReplica +
      use.workBytes
    );
  };
  // The pipeline stages process different microbatches at the same time, so a decoding step takes the pass of one microbatch.
  const decodeStepMs = (batchSize: number) => {
    const microbatch = Math.ceil(batchSize / layout.pipeline);
    return estimate(cost(shape, { batchSize: microbatch, contextLength, formats }), machine, {
      layout,
      shape,
    }).timeMs;
  };
  const fits = (batchSize: number) =>
    bytesPerMachine(batchSize) <= memoryBytes && 1000 / decodeStepMs(batchSize) >= tokensPerSecond;
  if (!fits(1)) return undefined;
  let [low, high] = [1, users];
  if (fits(users)) low = users;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  const replicas = Math.ceil(users / low);
  const batchSize = Math.ceil(users / replicas);
  const stepMs = decodeStepMs(batchSize);
  return {
    machines: replicas * perReplica,
    replicas,
    layout,
    batchSize,
    stepMs,
    tokensPerSecond: 1000 / stepMs,
    bytesPerMachine: bytesPerMachine(batchSize),
  };
}

/** Replication factor of the KV cache: key-value heads are copied if there are fewer of them than tensor-parallel machines. */
function kvHeadCopies({ decoder }: ModelShape, { tensor }: Layout): number {
  const attention = decoder?.layers
    .map((layer) => layer.attention)
    .find((attention) => attention.kind === "heads" || attention.kind === "latent");
  if (!attention) return 1;
  return Math.max(1, tensor / (attention.kind === "latent" ? 1 : attention.numKvHeads));
}

function noLayoutError({ shape, request, machine, memoryBytes }: Target): ArgumentError {
  const { contextLength, tokensPerSecond, formats = {} } = request;
  const bytesPerUser = memory(shape, { contextLength, formats }).bytes;
  const maxMachines = Math.max(...layouts(shape, machine).map(({ tensor, pipeline }) => tensor * pipeline));
  if (bytesPerUser > memoryBytes * maxMachines) {
    return new ArgumentError({
      fn: "plan",
      argument: "machine",
      received: machine.name,
      expected: `machines that hold ${(bytesPerUser / 1e9).toFixed(1)} GB for a single user`,
      fix: "use a machine with more memory or a link to others, a shorter context, or weights of fewer bits.",
    });
  }
  return new ArgumentError({
    fn: "plan",
    argument: "tokensPerSecond",
    received: tokensPerSecond,
    expected: `what ${machine.name} can give a single user of this model`,
    fix: "ask for fewer, use a machine with faster memory, or weights of fewer bits.",
  });
}

function describeAssumptions(
  { machine, formats = {}, contextLength }: PlanRequest,
  { efficiency, memoryShare }: { efficiency: number; memoryShare: number },
  shape: ModelShape,
): string[] {
  const name = (kind: keyof Formats) => formats[kind]?.name ?? "float16";
  return [
    `${machine.name}: ${machine.memoryBytes / 1e9} GB, ${Math.round(machine.bytesPerSecond / 1e9)} GB/s, ${Math.round(machine.flopsPerSecond / 1e9)} GFLOP/s (${machine.source}).`,
    `${Math.round(efficiency * 100)} % of its speed is reached, and ${Math.round(memoryShare * 100)} % of its memory is used.`,
    `Weights are ${name("weights")}, caches ${name("cache")}, activations ${name("activations")}.`,
    `Every user is being answered all the time and holds ${contextLength} tokens; prefill runs elsewhere or in between.`,
    `Each copy of the model decodes all of its users in one batch, without time between two steps.`,
    ...(machine.link
      ? [
          `Up to ${machine.link.machines} machines divide each matrix, over ${machine.link.bytesPerSecond / 1e9} GB/s; pipeline stages pass activations on at the same speed.`,
        ]
      : ["Machines do not work on one model together: there is no link between them."]),
    ...(shape.contextLength !== null && contextLength > shape.contextLength
      ? [`The model was made for ${shape.contextLength} tokens, fewer than asked for.`]
      : []),
  ];
}

function isShape(config: unknown): config is ModelShape {
  return typeof config === "object" && config !== null && "embedDim" in config && "vocabSize" in config;
}
