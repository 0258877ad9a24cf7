import { vjp, zeros, type Tensor } from "@qkv/tensor";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Kind, Source, Target } from "../case.js";
import { Skip, skippedCase } from "../case.js";
import type { Check } from "../check.js";
import { readCases } from "../data-files.js";
import { outputsOf } from "../outputs.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { compareTensor, toTensor } from "../to-tensor.js";
import { withDefaults } from "../with-defaults.js";
import { forwardQuantity, tolerance } from "../tolerance.js";
import { checkReferenceCase, type Named, type ReferenceOp } from "../reference-op.js";

/**
 * Files of one folder, whose cases have inputs, outputs and usually gradients, each run by an operation of `ops`.
 *
 * @param familyOf - Name of the family that a file counts in, from the file's name.
 * @param leftOut - Operations that the packages deliberately lack, by name, each with the reason. Their cases count as
 *   skipped.
 */
export const vectors =
  (
    folder: string,
    ops: readonly ReferenceOp[],
    familyOf: (name: string) => string,
    leftOut: Readonly<Record<string, string>> = {},
  ): Kind =>
  (data) =>
    data
      .names(folder, ".json")
      .map((name) => sourceOf(data, `${folder}/${name}`, familyOf(name), ops, leftOut));

function sourceOf(
  data: DataFolder,
  file: string,
  family: string,
  ops: readonly ReferenceOp[],
  leftOut: Readonly<Record<string, string>>,
): Source {
  const unknown = new Set<string>();
  let known = 0;
  const cases = readCases(data, file, ({ name, value }): Case => {
    if (outputsOf(value).length === 0) throw new Error("has no outputs");
    const reason = leftOut[String(value["op"])];
    if (reason !== undefined) return skippedCase(name, `${String(value["op"])} is left out: ${reason}`);
    const op = ops.find((one) => one.name === value["op"]);
    if (op) known += 1;
    else unknown.add(String(value["op"]));
    return {
      name,
      run(target) {
        if (!op) throw new Skip(notKnown(String(value["op"])));
        return runCase(op, value, target);
      },
    };
  });
  const source = { family, file, cases };
  const nothingRuns = known === 0 && unknown.size > 0;
  return nothingRuns ? { ...source, notYet: notKnown([...unknown].join(", ")) } : source;
}

const notKnown = (names: string): string => `${names} is not known yet`;

/** Compares every output with its reference and, if the case has output gradients, every input gradient. */
async function runCase(op: ReferenceOp, value: Record<string, unknown>, target: Target): Promise<Check[]> {
  const references = read(value, "outputs").filter(({ name }) => !op.beside.includes(name));
  const caseInputs = read(value, "inputs");
  const own = (value["attributes"] ?? {}) as Record<string, unknown>;
  const names = caseInputs.map(({ name }) => name);
  checkReferenceCase(op, names, own);
  const attributes = withDefaults(op.attributes, own);
  const inputs = named(caseInputs, target);
  const wanted = read(value, "gradInputs");
  const gradient = tolerance("gradient", target.class);
  const limit = ({ dtype }: ReferenceTensor) =>
    tolerance(
      op.quantity ??
        forwardQuantity(
          dtype,
          caseInputs.map((input) => input.dtype),
        ),
      target.class,
    );
  const compare = (
    results: Named,
    references: readonly ReferenceTensor[],
    own: (r: ReferenceTensor) => number,
  ) =>
    Promise.all(
      references.map((reference) =>
        compareTensor(results[reference.name], reference, own(reference), op.compare[reference.name]),
      ),
    );

  if (wanted.length === 0) return compare(await op.run(inputs, attributes), references, limit);
  const upstream = named(read(value, "gradOutputs"), target);
  // Gradients need a synchronous function: the tape does not follow promises.
  const { value: outputs, pullback } = vjp((params: Named) => op.run(params, attributes) as Named, inputs);
  const gradients = pullback(
    Object.fromEntries(Object.entries(outputs).map(([name, y]) => [name, upstream[name] ?? zerosLike(y)])),
  );
  const slopes = await compare(gradients, wanted, () => gradient);
  return [
    ...(await compare(outputs, references, limit)),
    ...slopes.map((check) => ({ ...check, output: `gradient of ${check.output}` })),
  ];
}

const zerosLike = ({ shape, dtype, device }: Tensor): Tensor => zeros(shape, { dtype, device });

const named = (references: readonly ReferenceTensor[], target: Target): Named =>
  Object.fromEntries(references.map((reference) => [reference.name, toTensor(reference, target)]));

function read(value: Record<string, unknown>, field: string): ReferenceTensor[] {
  const list = value[field] ?? [];
  if (!Array.isArray(list)) throw new Error(`\`${field}\` is not a list`);
  return list.map(readTensor);
}
