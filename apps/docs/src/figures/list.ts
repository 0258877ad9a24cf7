/** Figures of the site by name. Their code is loaded when they are near the viewport. */
export const figures = {
  "attention-call": () =>
    import("@qkv/figures/attention-call").then(({ defineAttentionCall }) => defineAttentionCall()),
  "caches-at-work": () =>
    import("@qkv/figures/caches-at-work").then(({ defineCachesAtWork }) => defineCachesAtWork()),
  "encoder-decoder-attention": () =>
    import("@qkv/figures/encoder-decoder-attention").then(({ defineEncoderDecoderAttention }) =>
      defineEncoderDecoderAttention(),
    ),
  evolution: () => import("./evolution").then(({ defineEvolution }) => defineEvolution()),
  "flash-attention": () =>
    import("@qkv/figures/flash-attention").then(({ defineFlashAttention }) => defineFlashAttention()),
  generation: () => import("@qkv/figures/generation").then(({ defineGeneration }) => defineGeneration()),
  "head-constructions": () =>
    import("@qkv/figures/head-constructions").then(({ defineHeadConstructions }) =>
      defineHeadConstructions(),
    ),
  "heads-and-keys": () =>
    import("@qkv/figures/heads-and-keys").then(({ defineHeadsAndKeys }) => defineHeadsAndKeys()),
  "linked-matrices": () =>
    import("@qkv/figures/linked-matrices").then(({ defineLinkedMatrices }) => defineLinkedMatrices()),
  tokenization: () =>
    import("@qkv/figures/tokenization").then(({ defineTokenization }) => defineTokenization()),
  "transformer-block": () =>
    import("@qkv/figures/transformer-block").then(({ defineTransformerBlock }) => defineTransformerBlock()),
  "written-state": () =>
    import("@qkv/figures/written-state").then(({ defineWrittenState }) => defineWrittenState()),
  "model-stack": () => import("@qkv/figures/model-stack").then(({ defineModelStack }) => defineModelStack()),
} as const satisfies Record<string, () => Promise<void>>;
export type FigureName = keyof typeof figures;
