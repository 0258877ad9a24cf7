import type { Tensor } from "@qkv/tensor";
import type { compareExactly } from "./check.js";
import type { Quantity } from "./tolerance.js";

export type Named = Record<string, Tensor>;

/** An operation of a reference library, computed with the packages. */
export type ReferenceOp = {
  /** The `op` of its cases. */
  name: string;
  /** Names of the inputs; undefined if they have any names and are positional. */
  inputs: readonly string[] | undefined;
  /** Names of further inputs, if their number depends on an attribute. */
  moreInputs: RegExp | undefined;
  /** Attributes with the library's defaults. Other attributes are errors. */
  attributes: Readonly<Record<string, unknown>>;
  /** Comparisons of integer outputs by name: `{ indices: compareSets }`. Default: all elements equal. */
  compare: Readonly<Record<string, typeof compareExactly>>;
  /** Outputs of the cases that are not compared. */
  beside: readonly string[];
  /** The tolerance's kind for forward outputs, if the README has a limit for them. Default: by dtype. */
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

/** Throws if not all inputs and attributes of a case would be used. */
export function checkReferenceCase(op: ReferenceOp, inputs: readonly string[], attributes: object): void {
  const input = op.inputs && inputs.find((name) => !op.inputs!.includes(name) && !op.moreInputs?.test(name));
  if (input !== undefined) throw new Error(`${op.name} has an input \`${input}\` that is not known`);
  const attribute = Object.keys(attributes).find((name) => !Object.hasOwn(op.attributes, name));
  if (attribute !== undefined)
    throw new Error(`${op.name} has an attribute \`${attribute}\` that is not known`);
}

/** A required input, which depends on attributes of a case. */
export function checkKnown(x: Tensor | undefined, name: string): Tensor {
  if (x) return x;
  throw new Error(`there is no input \`${name}\``);
}
