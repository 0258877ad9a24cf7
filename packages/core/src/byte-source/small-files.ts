import type { OpenOptions } from "./open-file.js";

/** Size limits of files that are read whole: options for `openFile` and `findFile`. */
export const smallFiles = {
  /** `config.json`, `generation_config.json`, `tokenizer_config.json`, chat templates and the like: 16 MiB. */
  configuration: { maxBytes: 2 ** 24, kind: "a configuration" },
  /** `model.safetensors.index.json`: 64 MiB. */
  index: { maxBytes: 2 ** 26, kind: "an index of weights" },
  /** `tokenizer.json`, `tokenizer.model`, `vocab.txt` and the like: 128 MiB. */
  tokenizer: { maxBytes: 2 ** 27, kind: "a tokenizer" },
} as const satisfies Readonly<Record<string, Pick<OpenOptions, "maxBytes" | "kind">>>;
