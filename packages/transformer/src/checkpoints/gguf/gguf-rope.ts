import type { GgufValue } from "@qkv/core";
import type { WeightFile } from "../../loading/weight-file.js";
import type { RopeScalingConfig } from "../../models/rope-from-config.js";

type Field = (name: string) => GgufValue | undefined;

/** RoPE scaling in the format of `config.json`; undefined without scaling, or if it is stored as tensors. */
export function ropeScalingJson(field: Field): Record<string, unknown> | undefined {
  const [type, factor, attnFactor] = [
    field("rope.scaling.type"),
    field("rope.scaling.factor"),
    field("rope.scaling.attn_factor"),
  ];
  if (type === undefined || type === "none" || type === "longrope") return undefined; // LongRoPE factors are tensors
  if (type !== "linear" && type !== "yarn") return { rope_type: type }; // refused later, under this name
  return {
    rope_type: type,
    factor,
    original_max_position_embeddings: field("rope.scaling.original_context_length"),
    // Multiplies YaRN's own factor.
    ...(type === "yarn" &&
      typeof attnFactor === "number" && {
        attention_factor: attnFactor * (0.1 * Math.log(Number(factor)) + 1),
      }),
  };
}

/** RoPE frequency factors, which are tensors: Llama 3's for all lengths, Phi-3's for short and long contexts. */
export async function ropeFactors(file: WeightFile, field: Field): Promise<RopeScalingConfig | undefined> {
  const readFactors = async (name: string) => {
    if (!file.shape(name)) return undefined;
    const factors: number[] = [];
    for await (const chunk of file.chunks(name)) factors.push(...chunk);
    return factors;
  };
  const allLengths = await readFactors("rope_freqs.weight");
  const short = allLengths ?? (await readFactors("rope_factors_short.weight"));
  const long = allLengths ?? (await readFactors("rope_factors_long.weight"));
  if (!short || !long) return undefined;
  const context = Number(field("context_length"));
  const originalLength = Number(field("rope.scaling.original_context_length") ?? context);
  const attentionFactor = allLengths ? 1 : field("rope.scaling.attn_factor");
  return {
    type: "longrope",
    shortFactors: short,
    longFactors: long,
    originalLength,
    factor: Math.max(1, context / originalLength),
    ...(typeof attentionFactor === "number" && { attentionFactor }),
  };
}
