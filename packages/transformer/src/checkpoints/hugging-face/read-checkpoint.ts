import { FormatError } from "@qkv/core";
import type { Weights } from "../../loading/weights.js";
import { bert } from "./bert.js";
import { configFields } from "./config-fields.js";
import type { Checkpoint, Family } from "./family.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";

const families: readonly Family[] = [llama, gpt2, bert];

/**
 * A model from its configuration and its weights in the layout of Hugging Face.
 *
 * @param json - The parsed `config.json`.
 * @param source - What the configuration is called in messages.
 */
export async function readCheckpoint(json: unknown, source: string, weights: Weights): Promise<Checkpoint> {
  const fields = configFields(json, source);
  const type = fields.text("model_type");
  const family = families.find(({ modelTypes }) => modelTypes.includes(type));
  if (family) return family.read(type, fields, weights);
  throw new FormatError({
    fn: "load",
    argument: `${source}: model_type`,
    received: type,
    expected: `a known architecture: ${families.flatMap(({ modelTypes }) => modelTypes).join(", ")}`,
    fix: "choose a model of one of these, or make the network from the layers of @qkv/transformer.",
  });
}
