import { ownData } from "../../reference-data.mjs";

type Refs = { architecture: string; greedy?: { prompt: number[]; tokens: number[] }[] };

/** Folders of `hf/` with decoder weights. */
export const decoderFolders = (): string[] =>
  ownData
    .folders("hf")
    .filter((name) => ownData.has(`hf/${name}/refs.json`))
    .filter((name) => {
      const { architecture, greedy } = ownData.json(`hf/${name}/refs.json`) as Refs;
      return /ForCausalLM$|LMHeadModel$/.test(architecture) || greedy?.[0]?.prompt !== undefined;
    });
