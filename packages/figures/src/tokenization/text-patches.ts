import type { TokenizationChoices, TokenizationModel } from "@qkv/viz/figures/tokenization";
import {
  byteEntropies,
  globalThreshold,
  monotonicConstraint,
  patchStarts,
  type ByteEntropy,
} from "@qkv/tokenizer/patching";
import { bytePieces } from "./byte-pieces.js";

/** Byte-level models of the figure, by name. */
export const byteModels: Readonly<
  Record<string, { label: string; madeBy: string; title: string; load: () => Promise<ByteEntropy> }>
> = {
  counts: {
    label: "counts of five bytes",
    madeBy: "an n-gram model of bytes",
    title: "englishBytes() of @qkv/tokenizer: an n-gram model of order 5",
    load: async () => (await import("@qkv/tokenizer/english-bytes")).englishBytes(),
  },
  transformer: {
    label: "a small transformer",
    madeBy: "a transformer of 320,160 parameters",
    title: "@qkv/model-tiny/bytes: 3 layers over bytes",
    load: () => (transformer ??= loadTransformer()),
  },
};

let transformer: Promise<ByteEntropy> | undefined;

async function loadTransformer(): Promise<ByteEntropy> {
  const [{ load }, { byteModel }, { modelTinyBytes }] = await Promise.all([
    import("@qkv/transformer"),
    import("@qkv/transformer/patching"),
    import("@qkv/model-tiny/bytes"),
  ]);
  return byteModel(await load(await modelTinyBytes()));
}

/** The patches of a text, and the entropies that determine them. */
export async function textPatches(
  text: string,
  { byteModel, rule, threshold, rise }: TokenizationChoices,
): Promise<NonNullable<TokenizationModel["patches"]>> {
  const { load, madeBy } = byteModels[byteModel]!;
  const pieces = bytePieces(text);
  const entropies = byteEntropies(pieces.bytes, await load());
  const patcher = rule === "threshold" ? globalThreshold(threshold) : monotonicConstraint(rise);
  const starts = patchStarts(pieces.bytes, patcher, entropies);
  const texts = starts.map((start, i) => pieces.text(start, starts[i + 1] ?? pieces.bytes.length));
  return { entropies: Array.from(entropies), starts, texts, madeBy };
}
