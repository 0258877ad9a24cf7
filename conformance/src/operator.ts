import type { Tensor } from "@qkv/tensor";
import type { Device } from "@qkv/tensor/contracts";

/**
 * An implementation of an ONNX operator with the packages. Inputs and attributes have their ONNX names, whatever a node calls
 * its arguments; outputs are returned in ONNX's order.
 */
export type Operator = {
  /** As in a node: `MatMul`, of the domain `ai.onnx`. */
  name: string;
  /** Default: ONNX's own, `ai.onnx`. */
  domain: string;
  /** In ONNX's order; the first `requiredInputs` are required. */
  inputs: readonly string[];
  /** True if the last input is variadic, as `name`, `name1`, `name2`, … */
  variadic: boolean;
  requiredInputs: number;
  /** Attributes with ONNX's defaults; `undefined` if the default is "absent". Other attributes are errors. */
  attributes: Readonly<Record<string, unknown>>;
  run(call: {
    inputs: Record<string, Tensor | undefined>;
    attributes: Record<string, unknown>;
    opset: number;
    device: Device;
    /** True for each output that the node uses. */
    wanted: readonly boolean[];
  }): Outputs | Promise<Outputs>;
};

type Outputs = readonly (Tensor | undefined)[];

/** Declares an operator, so that `run` sees its inputs and attributes with their types. */
export function defineOperator<
  Required extends string,
  Optional extends string,
  Attributes extends Record<string, unknown>,
>(definition: {
  name: string;
  domain?: string;
  inputs: readonly Required[];
  optionalInputs?: readonly Optional[];
  variadic?: boolean;
  attributes?: Attributes;
  run(call: {
    inputs: Record<Required, Tensor> & Partial<Record<Optional, Tensor>>;
    attributes: Attributes;
    opset: number;
    device: Device;
    wanted: readonly boolean[];
  }): Outputs | Promise<Outputs>;
}): Operator {
  const {
    name,
    domain = "ai.onnx",
    inputs,
    optionalInputs = [],
    variadic = false,
    attributes = {},
    run,
  } = definition;
  return {
    name,
    domain,
    inputs: [...inputs, ...optionalInputs],
    requiredInputs: inputs.length,
    variadic,
    attributes,
    run: run as Operator["run"],
  };
}
