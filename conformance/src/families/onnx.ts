import { cast, type Tensor } from "@qkv/tensor";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Source, Target } from "../case.js";
import { Skip } from "../case.js";
import type { Check } from "../check.js";
import { readCases, stemOf, type Entry } from "../data-files.js";
import type { Operator } from "../operator.js";
import { attentionOperator } from "../operators/attention.js";
import { causalConvWithStateOperator } from "../operators/causal-conv-with-state.js";
import { einsumOperator } from "../operators/einsum.js";
import { geluOperator } from "../operators/gelu.js";
import { gemmOperator } from "../operators/gemm.js";
import { layerNormalizationOperator } from "../operators/layer-normalization.js";
import { linearAttentionOperator } from "../operators/linear-attention.js";
import { logSoftmaxOperator } from "../operators/log-softmax.js";
import { flexAttentionOperator } from "../operators/flex-attention.js";
import { matMulOperator } from "../operators/matmul.js";
import { rmsNormalizationOperator } from "../operators/rms-normalization.js";
import { rotaryEmbeddingOperator } from "../operators/rotary-embedding.js";
import { softmaxOperator } from "../operators/softmax.js";
import { swigluOperator } from "../operators/swiglu.js";
import { swishOperator } from "../operators/swish.js";
import { tensorScatterOperator } from "../operators/tensor-scatter.js";
import { outputsOf } from "../outputs.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { compareTensor, toTensor } from "../to-tensor.js";
import { forwardQuantity, tolerance } from "../tolerance.js";
import { withDefaults } from "../with-defaults.js";

/** The implemented operators. Cases are dispatched by operator, not by file or name. */
const operators: readonly Operator[] = [
  flexAttentionOperator,
  attentionOperator,
  causalConvWithStateOperator,
  einsumOperator,
  geluOperator,
  gemmOperator,
  layerNormalizationOperator,
  linearAttentionOperator,
  logSoftmaxOperator,
  matMulOperator,
  rmsNormalizationOperator,
  rotaryEmbeddingOperator,
  softmaxOperator,
  swigluOperator,
  swishOperator,
  tensorScatterOperator,
];

/** `onnx/*.json`: nodes with inputs and outputs, from ONNX's own tests. The family is the file's stem. */
export function onnx(data: DataFolder): Source[] {
  return data.names("onnx", ".json").map((name) => {
    const known: Operator[] = [];
    const unknown = new Set<string>();
    const cases = readCases(data, `onnx/${name}`, (entry) => {
      const operator = operatorOf(entry);
      if (operator) known.push(operator);
      else unknown.add(String(entry.value["op"]));
      return onnxCase(entry, operator);
    });
    const source = { family: stemOf(name), file: `onnx/${name}`, cases };
    const nothingRuns = known.length === 0 && unknown.size > 0;
    return nothingRuns ? { ...source, notYet: notKnown([...unknown].join(", ")) } : source;
  });
}

const notKnown = (names: string): string => `operator ${names} is not known yet`;

function operatorOf({ value: { op, domain } }: Entry): Operator | undefined {
  const asked = domain === undefined || domain === "" ? "ai.onnx" : domain;
  return operators.find((operator) => operator.name === op && operator.domain === asked);
}

function onnxCase({ name, value }: Entry, operator: Operator | undefined): Case {
  if (outputsOf(value).length === 0) throw new Error("has no outputs");
  return {
    name,
    run(target) {
      if (!operator) throw new Skip(notKnown(String(value["op"])));
      return runNode(operator, value, target);
    },
  };
}

async function runNode(operator: Operator, value: Record<string, unknown>, target: Target): Promise<Check[]> {
  const references = listOf(value, "outputs").map(readTensor);
  const given = new Map(
    listOf(value, "inputs")
      .map(readTensor)
      .map((input) => [input.name, input]),
  );
  const outputNames = argumentsOf(value, "nodeOutputs");
  for (const { name } of references) {
    if (!outputNames.includes(name)) throw new Error(`nodeOutputs does not name the output \`${name}\``);
  }
  for (const name of outputNames) {
    if (name !== null && !references.some((reference) => reference.name === name)) {
      throw new Error(`the output \`${String(name)}\` has no reference`);
    }
  }
  const inputs = bindInputs(operator, argumentsOf(value, "nodeInputs"), given, target);
  const results = await operator.run({
    inputs: mapValues(inputs, (x) => x && widened(x)),
    attributes: bindAttributes(operator, value["attributes"]),
    opset: Number(value["opset"]),
    device: target.device,
    wanted: outputNames.map((name) => name !== null),
  });
  const dtypes = [...given.values()].map(({ dtype }) => dtype);
  return Promise.all(
    references.map(async (reference) => {
      const limit = tolerance(forwardQuantity(reference.dtype, dtypes), target.class);
      const result = results[outputNames.indexOf(reference.name)];
      return compareTensor(result && (await narrowed(result, reference)), reference, limit);
    }),
  );
}

/** 16-bit floats are for storage: operators compute in float32, and outputs are rounded back. */
const widened = (x: Tensor): Tensor => (x.dtype === "float16" ? cast(x, "float32") : x);
async function narrowed(x: Tensor, { dtype }: ReferenceTensor): Promise<Tensor> {
  if (dtype !== "float16" || x.dtype !== "float32") return x;
  await x.read(); // waits for the GPU
  return cast(x, "float16");
}

const mapValues = <T, U>(record: Record<string, T>, f: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));

/** The node's arguments under the operator's names, by position; `null` is an omitted optional argument. */
function bindInputs(
  operator: Operator,
  names: readonly unknown[],
  given: ReadonlyMap<unknown, ReferenceTensor>,
  target: Target,
) {
  const { inputs, variadic } = operator;
  if (names.length > inputs.length && !variadic) {
    throw new Error(`${operator.name} has ${names.length} inputs, expected at most ${inputs.length}`);
  }
  const more = names.slice(inputs.length).map((_, n) => `${inputs.at(-1)}${n + 1}`);
  return Object.fromEntries(
    [...inputs, ...more].map((formal, place) => {
      const name = names[place] ?? null;
      const reference = given.get(name);
      if (!reference && (name !== null || place < operator.requiredInputs)) {
        throw new Error(`input ${formal} of ${operator.name} is not in the case`);
      }
      return [formal, reference && toTensor(reference, target)];
    }),
  );
}

/** The node's attributes over the operator's defaults. Throws for unknown attributes. */
function bindAttributes({ name, attributes }: Operator, given: unknown): Record<string, unknown> {
  const own = (given ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(own).find((key) => !Object.hasOwn(attributes, key));
  if (unknown !== undefined) throw new Error(`${name} has an attribute \`${unknown}\` that is not known`);
  return withDefaults(attributes, own);
}

/** The names of a node's arguments. ONNX uses an empty name where the data has `null`. */
function argumentsOf(value: Record<string, unknown>, field: string): unknown[] {
  const names = listOf(value, field).map((name) => (name === "" ? null : name));
  // Trailing omitted arguments do not count.
  return names.slice(0, names.findLastIndex((name) => name !== null) + 1);
}

function listOf(value: Record<string, unknown>, field: string): unknown[] {
  const list = value[field];
  if (!Array.isArray(list)) throw new Error(`\`${field}\` is not a list`);
  return list;
}
