/** Metadata without effect on the results: sizes that the tensors' shapes give too, and information. */
export const keysWithoutEffect: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "vocab_size",
  "pooling_type",
  "rope.scaling.finetuned",
  "rope.scaling.original_context_length",
  "classifier.output_labels",
  "tensor_data_layout",
]);
