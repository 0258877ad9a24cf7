/** The reference outputs of a case of `onnx/` or `torch/`, or of a model. A case without any would test nothing. */
export const outputsOf = (entry: Record<string, unknown>): unknown[] =>
  Array.isArray(entry["outputs"]) ? entry["outputs"] : [];
