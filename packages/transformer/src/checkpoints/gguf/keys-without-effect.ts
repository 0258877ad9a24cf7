/** Metadata without effect on the result: sizes that follow from tensor shapes, and information. */
export const keysWithoutEffect: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "vocab_size",
  "pooling_type",
  "rope.scaling.finetuned",
  "rope.scaling.original_context_length",
  "classifier.output_labels",
  "tensor_data_layout",
]);
