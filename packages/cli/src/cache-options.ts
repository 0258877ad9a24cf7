import type { FetchOptions } from "./fetch-file.js";

/** Options of downloading a model. */
export type CacheOptions = Omit<FetchOptions, "optional" | "name"> & {
  /** Default: `QKV_CACHE`, else of a repository the hub's cache, as in Python, and of others `.cache/qkv` in the home folder. */
  folder?: string;
  /** URL of the hub. Default: `HF_ENDPOINT`, else Hugging Face. */
  hub?: string;
};
