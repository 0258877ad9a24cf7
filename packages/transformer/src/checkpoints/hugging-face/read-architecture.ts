import type { Architecture } from "../../architectures/architecture.js";
import { readFields } from "../../architectures/config-entry.js";
import { stopIdsField, type ConfigFields } from "../../architectures/config-fields.js";
import { storedBias } from "../../architectures/stored-bias.js";
import { readStored } from "../../architectures/stored-tensor.js";
import type { Weights } from "../../loading/weights.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { Checkpoint } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";

/** Paths that stand in front of a model's names in files that hold it alone, or inside another. */
const prefixes = ["model.", "", "language_model.model.", "model.language_model.", "transformer."];

/** A decoder from the fields and weights of its architecture. */
export async function readArchitecture(
  architecture: Architecture,
  given: ConfigFields,
  weights: Weights,
): Promise<Checkpoint> {
  const fields = given.withDefaults(architecture.defaults ?? {});
  const config = {
    ...readFields(architecture.config(), fields),
    stopIds: stopIdsField(fields),
  } as DecoderConfig;
  const tied = fields.flag("tie_word_embeddings", architecture.tied ?? false);
  const entries = architecture.tensors(config, tied, fields);
  given.finish(ignoredFields(commonFields, architecture.ignored ?? ""));
  const read = renamed(weights);
  const params = (await readStored(entries, read)) as DecoderParams;
  read.finish(unread(architecture, config));
  const { bias: _, ...plain } = config;
  const stored = storedBias(config, params);
  return { kind: "decoder", config: { ...plain, ...(stored && { bias: stored }) }, params };
}

/** Fields of training and routing losses, and what a rope scaling reads if there is one. */
export const commonFields =
  "embd_pdrop resid_pdrop router_aux_loss_coef output_router_logits original_max_position_embeddings is_decoder";

function unread({ ignoredTensors }: Architecture, config: DecoderConfig): RegExp {
  const own = typeof ignoredTensors === "function" ? ignoredTensors(config) : ignoredTensors;
  return new RegExp(
    [/rotary_emb\.inv_freq$|^lm_head\.weight$/, ...(own ? [own] : [])].map(({ source }) => source).join("|"),
  );
}

/** Weights whose names begin as the table has them, whatever stands in front of them in the file. */
function renamed(weights: Weights): Weights {
  const prefix = prefixes.find((one) => weights.has(`${one}embed_tokens.weight`)) ?? "model.";
  if (prefix === "model.") return weights;
  const nameOf = (name: string) => name.replace(/^model\./, prefix);
  return {
    ...weights,
    has: (name) => weights.has(nameOf(name)),
    shape: (name) => weights.shape(nameOf(name)),
    matrix: (name, shape) => weights.matrix(nameOf(name), shape),
    table: (name, shape) => weights.table(nameOf(name), shape),
    tensor: (name, shape, options) => weights.tensor(nameOf(name), shape, options),
    linear: (path, out, inner, layout) => weights.linear(nameOf(path), out, inner, layout),
    fused: (path, map, inner, layout) => weights.fused(nameOf(path), map, inner, layout),
    rows: (name, map, inner) => weights.rows(nameOf(name), map, inner),
    perExpert: (name, experts) => weights.perExpert(nameOf(name), experts),
    norm: (path, length, options) => weights.norm(nameOf(path), length, options),
  };
}
