import { ArgumentError } from "@qkv/core";

/** The error for an option that ONNX export does not support. */
export function unsupportedInOnnx(argument: string, received: unknown, expected: string): ArgumentError {
  return new ArgumentError({
    fn: "exportModel",
    argument,
    received,
    expected: `${expected}, in an ONNX graph`,
    fix: 'export to "hf", which engines read that compute it themselves.',
  });
}
