import { stacked } from "../../conversions/row-map.js";
import type { EncoderConfig } from "../../models/encoder.js";
import type { ConfigFields } from "../config-fields.js";
import { each, fused, linear, norm, type StoredTensor } from "../stored-tensor.js";
import { bertEmbeddings, bertLayerNames, bertSizes, typeCount } from "./encoder-parts.js";

/** Jina BERT, whose `model_type` is `bert`: ALiBi in place of position embeddings, and gated feed-forward layers. */
export function jinaBert(fields: ConfigFields): {
  readonly config: EncoderConfig;
  readonly tensors: readonly StoredTensor[];
} {
  const kind = fields.text("feed_forward_type", "original");
  if (kind !== "geglu" && kind !== "reglu") fields.unsupported("feed_forward_type", '"geglu" or "reglu"');
  fields.mustBe("is_decoder", false);
  const config: EncoderConfig = {
    ...bertSizes(fields),
    activation: kind === "geglu" ? "gelu" : "relu",
    numTypes: typeCount(fields),
    positions: "alibi",
    gated: true,
  };
  const { embedDim: C, hiddenDim: F, numLayers } = config;
  const biased = { bias: true };
  const names = bertLayerNames;
  return {
    config,
    tensors: [
      ...bertEmbeddings(config),
      each(numLayers, "layers", "encoder.layer", () => [
        ...(["query", "key", "value", "output"] as const).map((part) =>
          linear(`attention.${part}`, names[part], [C, C], biased),
        ),
        norm("attentionNorm", names.attentionNorm, C, biased),
        fused(["feedForward.gate", "feedForward.up"], "mlp.gated_layers", stacked([F, F]), C),
        linear("feedForward.down", "mlp.wo", [C, F], biased),
        norm("feedForwardNorm", "mlp.layernorm", C, biased),
      ]),
    ],
  };
}

/** Ignored fields of Jina BERT. */
export const jinaBertIgnored = "auto_map emb_pooler model_max_length";
