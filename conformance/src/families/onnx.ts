import type { Case, Source, Target } from "../case.js";
import { Skip } from "../case.js";
import type { Check } from "../check.js";
import { namesIn, readCases, stemOf, type Entry } from "../data-files.js";
import type { Operator } from "../operator.js";
import { attentionOperator } from "../operators/attention.js";
import { matMulOperator } from "../operators/matmul.js";
import { rotaryEmbeddingOperator } from "../operators/rotary-embedding.js";
import { softmaxOperator } from "../operators/softmax.js";
import { outputsOf } from "../outputs.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { compareTensor, toTensor } from "../to-tensor.js";
import { forwardQuantity, tolerance } from "../tolerance.js";

/** The operators that can run. A case is given to its operator, whatever file it is in and whatever it is called. */
const operators: readonly Operator[] = [
  attentionOperator,
  matMulOperator,
  rotaryEmbeddingOperator,
  softmaxOperator,
];

/** `onnx/*.json`: nodes with inputs and outputs, from ONNX's own tests. The family is the file's stem. */
export function onnx(dataDir: string): Source[] {
  return namesIn(dataDir, "onnx", ".json").map((name) => {
    const known: Operator[] = [];
    const unknown = new Set<string>();
    const cases = readCases(dataDir, `onnx/${name}`, (entry) => {
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
  if (domain !== undefined && domain !== "" && domain !== "ai.onnx") return undefined;
  return operators.find(({ name }) => name === op);
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
  const outputNames = listOf(value, "nodeOutputs");
  for (const { name } of references) {
    if (!outputNames.includes(name)) throw new Error(`nodeOutputs does not name the output \`${name}\``);
  }
  for (const name of outputNames) {
    if (name !== null && !references.some((reference) => reference.name === name)) {
      throw new Error(`the output \`${String(name)}\` has no reference`);
    }
  }
  // A dtype that cannot be compared yet is found before anything runs.
  for (const reference of references) toTensor(reference, target);

  const results = await operator.run({
    inputs: bindInputs(operator, listOf(value, "nodeInputs"), given, target),
    attributes: bindAttributes(operator, value["attributes"]),
    opset: Number(value["opset"]),
    device: target.device,
    wanted: outputNames.map((name) => name !== null),
  });
  const dtypes = [...given.values()].map(({ dtype }) => dtype);
  return Promise.all(
    references.map((reference) => {
      const limit = tolerance(forwardQuantity(reference.dtype, dtypes), target.class);
      return compareTensor(results[outputNames.indexOf(reference.name)], reference, limit);
    }),
  );
}

/** The node's arguments under the operator's own names, by place; a `null` is an optional argument left out. */
function bindInputs(
  operator: Operator,
  names: readonly unknown[],
  given: ReadonlyMap<unknown, ReferenceTensor>,
  target: Target,
) {
  if (names.length > operator.inputs.length) {
    throw new Error(
      `${operator.name} has ${names.length} inputs, expected at most ${operator.inputs.length}`,
    );
  }
  return Object.fromEntries(
    operator.inputs.map((formal, place) => {
      const name = names[place] ?? null;
      const reference = given.get(name);
      if (!reference && (name !== null || place < operator.requiredInputs)) {
        throw new Error(`input ${formal} of ${operator.name} is not in the case`);
      }
      return [formal, reference && toTensor(reference, target)];
    }),
  );
}

/** The node's attributes over the operator's defaults. One that the operator does not know would change its meaning. */
function bindAttributes({ name, attributes }: Operator, given: unknown): Record<string, unknown> {
  const own = (given ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(own).find((key) => !Object.hasOwn(attributes, key));
  if (unknown !== undefined) throw new Error(`${name} has an attribute \`${unknown}\` that is not known`);
  return { ...attributes, ...own };
}

function listOf(value: Record<string, unknown>, field: string): unknown[] {
  const list = value[field];
  if (!Array.isArray(list)) throw new Error(`\`${field}\` is not a list`);
  return list;
}
