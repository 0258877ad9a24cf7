import { ggufTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { readGguf } from "./read-gguf.js";
import type { Checkpoint } from "../hugging-face/family.js";
import { ggufWeights } from "../../loading/gguf-weights.js";
import type { OpenFile } from "../../loading/open-file.js";
import { fileWeights, type WeightOptions } from "../../loading/weights.js";

/** Opens a GGUF file: a model whose weights have not been read yet, and its tokenizer, if it has one. */
export async function ggufCheckpoint(file: OpenFile): Promise<{
  read(weightOptions: WeightOptions): Promise<Checkpoint>;
  ownTokenizer?: () => Tokenizer;
}> {
  const { weights, header } = await ggufWeights(file);
  const hasTokenizer = ![undefined, "no_vocab"].includes(
    header.metadata.get("tokenizer.ggml.model") as string,
  );
  return {
    read: (weightOptions) =>
      readGguf(header.metadata, weights, (renamed) => fileWeights(renamed, weightOptions)),
    ...(hasTokenizer && { ownTokenizer: () => ggufTokenizer(header) }),
  };
}
