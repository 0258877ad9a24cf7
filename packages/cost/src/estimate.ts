import { ArgumentError, checks, type Checks } from "@qkv/core";
import { checkFields, checkShape, checkWhole } from "./check-call.js";
import type { Cost } from "./cost.js";
import { bytesPerSecondAt, checkMachine, type Machine } from "./machine.js";
import type { ModelShape } from "./model-shape.js";

/** The resource that limits an operation in the roofline model. */
export type Bound = "compute" | "memory" | "overhead" | "link";

/** Layout of a model on machines of one kind. */
export type Layout = {
  /** Number of tensor-parallel machines, which divide each matrix among them. */
  readonly tensor: number;
  /** Number of pipeline stages: groups of machines, each with some of the layers. */
  readonly pipeline: number;
};

/** Time of one operator, summed over the layers that have it. */
export type OperatorTime = {
  readonly name: string;
  readonly timeMs: number;
  readonly boundBy: Bound;
  readonly intensity: number;
};

/** Minimum time of a pass, and the resource that limits it. */
export type Estimate = {
  /** Time of one pass. */
  readonly timeMs: number;
  /** The resource that limits most of the time. */
  readonly boundBy: Bound;
  /** The time by resource; sums to {@link timeMs}. */
  readonly timeMsBy: { readonly [bound in Bound]: number };
  readonly operators: readonly OperatorTime[];
  /** Throughput over all sequences, with all pipeline stages busy. */
  readonly tokensPerSecond: number;
};

/**
 * Estimates a time with the roofline model: an operation takes the longer of its memory time and its compute time, plus
 * the overhead to start it. The result is a lower bound: machines reach about two thirds of the figures in their data
 * sheets.
 *
 * Tensor parallelism (`tensor`) needs two all-reduces per layer over the link. Pipeline stages send activations to the next
 * stage; they raise the throughput, and do not shorten the time of one token.
 *
 * @param options - `layout`: default one machine. `shape`: the model of `cost`, required for a layout of several machines.
 * @throws {ArgumentError} If the layout has more machines than the link connects, or there is no link.
 *
 * @example
 * ```ts
 * import { cost, estimate, machines, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({
 *   model_type: "llama", hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8,
 *   intermediate_size: 14336, vocab_size: 128256,
 * });
 * const step = estimate(cost(shape, { contextLength: 4096 }), machines.h100);
 * [step.boundBy, step.timeMs > 4, step.timeMs < 6.5]; // => ["memory", true, true]
 * estimate(cost(shape, { queryLength: 4096 }), machines.h100).boundBy; // => "compute"
 * ```
 */
export function estimate(
  cost: Cost,
  machine: Machine,
  options: { layout?: Layout; shape?: ModelShape } = {},
): Estimate {
  const check = checks("estimate");
  const fields = ["operators", "weightBytes", "cacheBytes", "tokens"];
  checkFields(check, { cost }, fields, "the cost of a pass", "give what `cost(shape, call)` returns.");
  checkMachine(check, machine);
  const { layout = { tensor: 1, pipeline: 1 }, shape } = check.options(options, ["layout", "shape"]);
  if (shape !== undefined) checkShape(check, shape);
  const { tensor, pipeline } = checkLayout(check, layout, machine);
  const timeMsBy = { compute: 0, memory: 0, overhead: 0, link: 0 };
  const bytesPerSecond = bytesPerSecondAt(machine, (cost.weightBytes + cost.cacheBytes) / tensor / pipeline);
  const operators = cost.operators.map(({ name, flops, bytes, calls, intensity }): OperatorTime => {
    const computeMs = (flops / tensor / machine.flopsPerSecond) * 1000;
    const memoryMs = (bytes / tensor / bytesPerSecond) * 1000;
    const overheadMs = calls * machine.overheadMs;
    const resource = computeMs > memoryMs ? "compute" : "memory";
    const workMs = Math.max(computeMs, memoryMs);
    timeMsBy[resource] += workMs;
    timeMsBy.overhead += overheadMs;
    return {
      name,
      timeMs: workMs + overheadMs,
      boundBy: overheadMs > workMs ? "overhead" : resource,
      intensity,
    };
  });
  timeMsBy.link = linkMs(cost, machine, { tensor, pipeline }, shape);
  const timeMs = Object.values(timeMsBy).reduce((sum, ms) => sum + ms, 0);
  const bounds = Object.keys(timeMsBy) as Bound[];
  return {
    timeMs,
    boundBy: bounds.reduce((longest, bound) => (timeMsBy[bound] > timeMsBy[longest] ? bound : longest)),
    timeMsBy,
    operators,
    tokensPerSecond: (cost.tokens / timeMs) * 1000 * pipeline,
  };
}

/**
 * Time of communication in float16: two all-reduces per layer, and activations sent from stage to stage.
 */
function linkMs(cost: Cost, { link }: Machine, { tensor, pipeline }: Layout, shape?: ModelShape): number {
  if (tensor * pipeline === 1 || !link) return 0;
  if (!shape) {
    throw new ArgumentError({
      fn: "estimate",
      argument: "shape",
      received: shape,
      expected: "the shape of the model, for a layout of several machines",
      fix: "pass it with the layout: estimate(cost, machine, { layout, shape }).",
    });
  }
  const rowBytes = cost.tokens * shape.embedDim * 2;
  const layers = (shape.encoder?.layers.length ?? 0) + (shape.decoder?.layers.length ?? 0);
  // Ring all-reduce: each machine sends 2 (n − 1) / n of the data.
  const allReduceMs =
    ((2 * (tensor - 1)) / tensor) * (rowBytes / link.bytesPerSecond) * 1000 + 2 * link.latencyMs;
  const sendMs = (rowBytes / link.bytesPerSecond) * 1000 + link.latencyMs;
  return (tensor > 1 ? 2 * layers * allReduceMs : 0) + (pipeline - 1) * sendMs;
}

function checkLayout(check: Checks, layout: Layout, { name, link }: Machine): Layout {
  const { tensor, pipeline } = check.options(layout, ["tensor", "pipeline"], "layout");
  checkWhole(check, { tensor }, 1, "machines");
  checkWhole(check, { pipeline }, 1, "groups");
  const maxMachines = link?.machines ?? 1;
  if (tensor <= maxMachines && (pipeline === 1 || link)) return layout;
  check.refuse({
    argument: "layout",
    received: `${tensor} times ${pipeline} of ${name}`,
    expected: link
      ? `at most ${maxMachines} tensor-parallel machines, as many as the link connects`
      : "one machine, as this one has no link to others",
    fix: link ? "use more pipeline stages instead." : "give the machine a `link`.",
  });
}
