import type { Architecture } from "../../architectures/architecture.js";
import { readFields } from "../../architectures/config-entry.js";
import { stopIdsField, type ConfigFields } from "../../architectures/config-fields.js";
import { storedBias } from "../../architectures/stored-bias.js";
import { foldedFactors, readStored } from "../../architectures/stored-tensor.js";
import type { Weights } from "../../loading/weights.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { Checkpoint } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";

/** Prefixes of tensor names, for a checkpoint of the model alone or inside another model. */
const prefixes = ["model.", "", "language_model.model.", "model.language_model.", "transformer."];

/** Reads a decoder, by the table of its architecture. */
export async function readArchitecture(
  architecture: Architecture,
  fileFields: ConfigFields,
  weights: Weights,
): Promise<Checkpoint> {
  const fields = fileFields.withDefaults(architecture.defaults ?? {});
  const config = {
    ...readFields(architecture.config(), fields),
    stopIds: stopIdsField(fields),
  } as DecoderConfig;
  const tied = fields.flag("tie_word_embeddings", architecture.tied ?? false);
  const entries = architecture.tensors(config, tied, fields);
  fileFields.finish(ignoredFields(commonFields, architecture.ignored ?? ""));
  const modelWeights = withTableNames(weights);
  const params = (await readStored(entries, modelWeights)) as DecoderParams;
  modelWeights.finish(ignoredTensorNames(architecture, config));
  const { bias: _, ...withoutBias } = config;
  const bias = storedBias(config, params);
  const factors = foldedFactors(entries);
  const checkpoint = {
    modelType: architecture.modelTypes[0],
    ...(Object.keys(factors).length > 0 && { factors }),
  };
  return { kind: "decoder", config: { ...withoutBias, ...(bias && { bias }), checkpoint }, params };
}

/** Ignored fields: training, router losses, and fields that only RoPE scaling uses. */
export const commonFields =
  "embd_pdrop resid_pdrop router_aux_loss_coef output_router_logits original_max_position_embeddings is_decoder";

function ignoredTensorNames({ ignoredTensors }: Architecture, config: DecoderConfig): RegExp {
  const pattern = typeof ignoredTensors === "function" ? ignoredTensors(config) : ignoredTensors;
  return new RegExp(
    [/rotary_emb\.inv_freq$|^lm_head\.weight$/, ...(pattern ? [pattern] : [])]
      .map(({ source }) => source)
      .join("|"),
  );
}

/** Weights with the names of the table, which have the prefix `model.`; in a file they may have another one. */
function withTableNames(weights: Weights): Weights {
  const prefix = prefixes.find((candidate) => weights.has(`${candidate}embed_tokens.weight`)) ?? "model.";
  if (prefix === "model.") return weights;
  const storedName = (name: string) => name.replace(/^model\./, prefix);
  return {
    ...weights,
    has: (name) => weights.has(storedName(name)),
    shape: (name) => weights.shape(storedName(name)),
    matrix: (name, shape) => weights.matrix(storedName(name), shape),
    table: (name, shape) => weights.table(storedName(name), shape),
    tensor: (name, shape, options) => weights.tensor(storedName(name), shape, options),
    linear: (path, out, inner, layout) => weights.linear(storedName(path), out, inner, layout),
    fused: (path, map, inner, layout) => weights.fused(storedName(path), map, inner, layout),
    rows: (name, map, inner) => weights.rows(storedName(name), map, inner),
    perExpert: (name, experts) => weights.perExpert(storedName(name), experts),
    norm: (path, length, options) => weights.norm(storedName(path), length, options),
  };
}
