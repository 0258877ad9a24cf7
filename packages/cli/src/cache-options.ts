import type { FetchOptions } from "./fetch-file.js";

/** Options of downloading a model. */
export type CacheOptions = Omit<FetchOptions, "optional" | "name"> & {
  /** Cache folder. Default: `QKV_CACHE`; if unset, the cache of Python's `huggingface_hub` for repositories, and `~/.cache/qkv` for URLs. */
  folder?: string;
  /** URL of the hub. Default: `HF_ENDPOINT`, or Hugging Face. */
  hub?: string;
};
