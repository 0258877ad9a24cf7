import { ArgumentError } from "@qkv/core";

/** The error for a layer that ONNX graphs cannot hold. */
export function unsupportedInOnnx(argument: string, received: unknown, expected: string): ArgumentError {
  return new ArgumentError({
    fn: "exportModel",
    argument,
    received,
    expected: `${expected}, in an ONNX graph`,
    fix: 'export to "hf", which engines read that compute it themselves.',
  });
}
