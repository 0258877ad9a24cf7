import { kvCache, parameters, readConfig, type AttentionShape, type ModelShape } from "@qkv/cost";
import { knownModels } from "@qkv/cost/models";

/** A known model in one row of the table. */
export type ModelRow = {
  id: string;
  name: string;
  year: number;
  parameters: number;
  layers: number;
  /** Fraction of the layers with full attention. */
  fullShare: number;
  /** Kinds of layers as text: "52 sliding (1,024), 10 full". */
  kinds: string;
  heads: number;
  kvHeads: number;
  /** For example "GQA". */
  sharing: string;
  /** Bytes of the KV cache, 16-bit; 0 for encoders. */
  bytesPerToken: number;
  bytesAt32K: number;
};

/** Tokens in the cache, for the last column. */
export const rowTokens = 32_768;

/** All known models, newest first. */
export function modelRows(): ModelRow[] {
  return knownModels
    .map(({ id, name, year, config }): ModelRow => {
      const shape = readConfig(config);
      const all = layersOf(shape);
      const counts = new Map<string, number>();
      for (const attention of all)
        counts.set(layerText(attention), (counts.get(layerText(attention)) ?? 0) + 1);
      const attends = all.find(({ kind }) => kind !== "state") ?? all[0]!;
      return {
        id,
        name,
        year,
        parameters: parameters(shape).total,
        layers: all.length,
        fullShare: all.filter((attention) => layerText(attention).startsWith("full")).length / all.length,
        kinds: [...counts].map(([text, count]) => `${count} ${text}`).join(", "),
        ...headsOf(attends),
        bytesPerToken: kvCache(shape).bytesPerToken,
        bytesAt32K: kvCache(shape, { contextLength: rowTokens }).bytes,
      };
    })
    .reverse();
}

const layersOf = ({ encoder, decoder, images }: ModelShape): AttentionShape[] =>
  [encoder, decoder, images?.encoder].flatMap((stack) =>
    (stack?.layers ?? []).flatMap(({ attention }) => (attention.kind === "none" ? [] : [attention])),
  );

function layerText(attention: AttentionShape): string {
  if (attention.kind === "state") return "linear";
  const { reach } = attention;
  switch (reach.kind) {
    case "causal":
      return "full";
    case "all":
      return "full, both ways";
    case "window":
      return `sliding (${reach.size.toLocaleString("en-US")})`;
    case "around":
      return `window (${reach.size} each side)`;
    case "chunk":
      return `chunked (${reach.size.toLocaleString("en-US")})`;
  }
}

function headsOf(attention: AttentionShape): Pick<ModelRow, "heads" | "kvHeads" | "sharing"> {
  if (attention.kind === "latent") return { heads: attention.numHeads, kvHeads: 1, sharing: "MLA" };
  if (attention.kind === "state")
    return { heads: attention.numKeyHeads, kvHeads: attention.numValueHeads, sharing: "state" };
  const { numHeads: heads, numKvHeads: kvHeads } = attention;
  return { heads, kvHeads, sharing: kvHeads === heads ? "MHA" : kvHeads === 1 ? "MQA" : "GQA" };
}
