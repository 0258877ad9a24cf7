import type { Tensor } from "@qkv/tensor";
import type { compareExactly } from "./check.js";
import type { Quantity } from "./tolerance.js";

export type Named = Record<string, Tensor>;

/** Computes the cases of one operation of a reference library with the packages. */
export type ReferenceOp = {
  /** As a case's `op`. */
  name: string;
  /** Names of the inputs it takes; undefined where they may have any names and come in order. */
  inputs: readonly string[] | undefined;
  /** Names of further inputs, where their number depends on an attribute. */
  moreInputs: RegExp | undefined;
  /** Attributes with the library's defaults. A case may give no others. */
  attributes: Readonly<Record<string, unknown>>;
  /** Comparison of outputs of integers, by name: `{ indices: compareSets }`. Default: each number equal. */
  compare: Readonly<Record<string, typeof compareExactly>>;
  /** Outputs of the cases that nothing is held to. */
  beside: readonly string[];
  /** Kind of the forward numbers, where the README states a limit for them. Default: by their types. */
  quantity: Quantity | undefined;
  /** The outputs by name. */
  run(inputs: Named, attributes: Record<string, unknown>): Named | Promise<Named>;
};

/** Declares one, so that `run` sees its inputs and attributes with their types. */
export function defineReferenceOp<
  Attributes extends Record<string, unknown>,
  Required extends string = string,
  Optional extends string = never,
>(definition: {
  name: string;
  inputs?: readonly Required[];
  optionalInputs?: readonly Optional[];
  moreInputs?: RegExp;
  attributes?: Attributes;
  compare?: ReferenceOp["compare"];
  beside?: readonly string[];
  quantity?: Quantity;
  run(
    inputs: Record<Required, Tensor> & Partial<Record<Optional, Tensor>>,
    attributes: Attributes,
  ): Named | Promise<Named>;
}): ReferenceOp {
  const { name, inputs, optionalInputs = [], moreInputs, run } = definition;
  const { attributes = {}, compare = {}, beside = [], quantity } = definition;
  return {
    name,
    inputs: inputs && [...inputs, ...optionalInputs],
    moreInputs,
    attributes,
    compare,
    beside,
    quantity,
    run: run as ReferenceOp["run"],
  };
}

/** Refuses a case whose inputs or attributes would not all be used. */
export function checkReferenceCase(op: ReferenceOp, inputs: readonly string[], attributes: object): void {
  const input = op.inputs && inputs.find((name) => !op.inputs!.includes(name) && !op.moreInputs?.test(name));
  if (input !== undefined) throw new Error(`${op.name} has an input \`${input}\` that is not known`);
  const attribute = Object.keys(attributes).find((name) => !Object.hasOwn(op.attributes, name));
  if (attribute !== undefined)
    throw new Error(`${op.name} has an attribute \`${attribute}\` that is not known`);
}

/** An input that the attributes of a case ask for. */
export function checkKnown(x: Tensor | undefined, name: string): Tensor {
  if (x) return x;
  throw new Error(`there is no input \`${name}\``);
}
