import type { Checks } from "@qkv/core";
import type {
  EmbedOptions,
  GenerateOptions,
  HubOptions,
  ModelStoreOptions,
  LoadOptions as TransformerLoadOptions,
  Source,
} from "@qkv/transformer";
import { toSentSource, type SentSource } from "./sent-source.js";

/** Options of `load` of `@qkv/transformer` that structured cloning can copy. */
type Unchanged = Pick<TransformerLoadOptions, "dtype" | "quantize" | "idleTimeoutMs" | "maxBytes">;

/** Options of `load` that are about the model, without its callbacks. */
export type ModelOptions = Unchanged & {
  /**
   * Name of the device in the worker: `wasm`, with options as on the command line, `wasm,threads=4`; `webgpu`; `js`; or `auto`,
   * the fastest available. Default: `wasm`, or `js` if WebAssembly SIMD cannot run.
   */
  device?: string;
  /** File of a tokenizer. Default: the one in the folder, if any. */
  tokenizer?: Source;
  /** Access to the hub. Default: the Hugging Face Hub, without a login. */
  hub?: Omit<HubOptions, "client">;
  /** Stores downloaded files in the browser: options of `modelStore`, `{}` for its defaults. Default: they are not stored. */
  store?: Omit<ModelStoreOptions, "caches">;
};

export type SentLoadOptions = Omit<ModelOptions, "tokenizer"> & { tokenizer?: SentSource };
export type SentGenerateOptions = Pick<
  GenerateOptions,
  "maxTokens" | "sampling" | "stop" | "logprobs" | "speculate"
>;
export type SentEmbedOptions = Omit<EmbedOptions, "signal">;

/** Converts options to a form that can be sent. @throws {ArgumentError} If an option cannot be sent to a worker. */
export function toSentOptions(check: Checks, { tokenizer, ...options }: ModelOptions): SentLoadOptions {
  const { device, hub, store } = options;
  if (device !== undefined) {
    check.type({ device }, "string", 'name it: "wasm", "webgpu" or "auto"; it is opened in the worker.');
  }
  if (hub !== undefined && "client" in hub) {
    check.refuse({
      argument: "hub.client",
      received: hub.client,
      expected: "none, as functions cannot be sent to a worker",
      fix: "leave it out: the worker has the client of @huggingface/hub. Another one goes to `serve` in a worker of your own.",
    });
  }
  if (store !== undefined) check.options(store, ["name", "offline"], "store");
  if (tokenizer === undefined) return options;
  if (typeof tokenizer === "object" && "encode" in tokenizer) {
    check.refuse({
      argument: "tokenizer",
      received: "a tokenizer, whose functions cannot be sent to a worker",
      expected: "its file",
      fix: "pass the path, the address or the bytes of the file.",
    });
  }
  return { ...options, tokenizer: toSentSource(check, "tokenizer", tokenizer) };
}
