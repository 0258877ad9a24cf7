import type {
  AnyModel,
  EmbedOptions,
  EncoderModel,
  GeneratedToken,
  GenerateOptions,
  GenerativeModel,
  LoadOptions,
  Source,
} from "@qkv/transformer";
import type { Device } from "@qkv/tensor";

/**
 * Functions that load and run models: the module `@qkv/transformer` for this thread, `@qkv/worker` for a worker, or any object
 * with these functions.
 */
export type Runtime = {
  load(source: never, options?: never): Promise<object>;
  generate?(model: never, prompt: never, options?: never): AsyncIterable<{ readonly text: string }>;
  embed?(model: never, texts: readonly string[], options?: never): Promise<readonly ArrayLike<number>[]>;
};

/** A runtime as used inside the stores. Models, sources and options have already been checked by its types. */
export type UncheckedRuntime = {
  load(source: unknown, options: object): Promise<object>;
  generate(model: object, prompt: unknown, options: object): AsyncIterable<{ readonly text: string }>;
  embed(model: object, texts: readonly string[], options: object): Promise<readonly ArrayLike<number>[]>;
};

/** Type of the models of a runtime. */
export type ModelOf<R extends Runtime> = Awaited<ReturnType<R["load"]>>;
/** Type of the sources that a runtime loads. */
export type SourceOf<R extends Runtime> = Parameters<R["load"]>[0];
/** A source, a promise of one, or a function that returns one and is called when the model is loaded. */
export type LaterSource<R extends Runtime> =
  SourceOf<R> | Promise<SourceOf<R>> | (() => SourceOf<R> | Promise<SourceOf<R>>);
/** Options of a function without those that a store sets; `object` if it has none. */
type OptionsWithout<Options, Own extends string> = [NonNullable<Options>] extends [never]
  ? object
  : Omit<NonNullable<Options>, Own>;
/** Type of the options of `load`, without those that a store sets. */
export type LoadOptionsOf<R extends Runtime> = OptionsWithout<
  Parameters<R["load"]>[1],
  "signal" | "onProgress"
>;
type Generate<R extends Runtime> = NonNullable<R["generate"]>;
/** Type of the options of `generate`, without those that a store sets. */
export type GenerateOptionsOf<R extends Runtime> = OptionsWithout<Parameters<Generate<R>>[2], "signal">;
/** Type of the prompts. */
export type PromptOf<R extends Runtime> = Parameters<Generate<R>>[1];
/** Type of a generated token. */
export type TokenOf<R extends Runtime> =
  ReturnType<Generate<R>> extends AsyncIterable<infer Token> ? Token : never;
type Embed<R extends Runtime> = NonNullable<R["embed"]>;
/** Type of the options of `embed`, without those that a store sets. */
export type EmbedOptionsOf<R extends Runtime> = OptionsWithout<Parameters<Embed<R>>[2], "signal">;

/** Options of `load` of `@qkv/transformer`. `device` may also be a function that opens a device when it is needed: `device: wasm`. */
export type MainThreadLoadOptions = Omit<LoadOptions, "device"> & {
  device?: Device | (() => Device | Promise<Device>);
};

/** A model in this thread. If `load` opened a device for it, `dispose` closes the device. */
export type MainThreadModel = AnyModel & { dispose?(): Promise<void> };

/** Type of the runtime of this thread. */
export type MainThread = {
  load(source: Source | readonly File[], options?: MainThreadLoadOptions): Promise<MainThreadModel>;
  generate(
    model: AnyModel,
    prompt: string | readonly number[],
    options?: GenerateOptions,
  ): AsyncIterable<GeneratedToken>;
  embed(model: AnyModel, texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
};

/**
 * Runs models in this thread, with `@qkv/transformer`, which is imported when the first model is loaded. The kind of a model is
 * detected from its files.
 *
 * @example
 * ```ts
 * import { mainThread } from "@qkv/stores";
 *
 * // A checkpoint of llama2.c with one layer of one head and 5 tokens.
 * // Yours is a name, a folder or a file: mainThread.load("Qwen/Qwen3-0.6B").
 * const checkpoint = new Uint8Array(4 * (7 + 58));
 * checkpoint.set(new Uint8Array(Int32Array.of(2, 3, 1, 1, 1, 5, 4).buffer));
 * const model = await mainThread.load(checkpoint);
 * const ids: number[] = [];
 * for await (const { id } of mainThread.generate(model, [1], { maxTokens: 3 })) ids.push(id);
 * ids; // => [0, 0, 0]
 * ```
 */
export const mainThread: MainThread = {
  async load(source, options = {}) {
    const { device: deviceOption, ...loadOptions } = options;
    const { loadAny } = await import("@qkv/transformer");
    const loadOn = (device?: Device) => loadAny(source, { ...loadOptions, ...(device && { device }) });
    return typeof deviceOption === "function"
      ? loadOnOwnDevice(await deviceOption(), loadOn)
      : loadOn(deviceOption);
  },
  async *generate(model, prompt, options) {
    const { generate } = await import("@qkv/transformer");
    yield* generate(model as GenerativeModel, prompt, options);
  },
  async embed(model, texts, options) {
    const { embed } = await import("@qkv/transformer");
    return embed(model as EncoderModel, texts, options);
  },
};

/** Loads a model on a device that was opened for it, and adds a `dispose` that closes the device. */
async function loadOnOwnDevice(
  device: Device & { close?(): void | Promise<void> },
  loadOn: (device: Device) => Promise<AnyModel>,
): Promise<MainThreadModel> {
  const dispose = async () => device.close?.();
  try {
    return Object.assign(await loadOn(device), { dispose });
  } catch (error) {
    await dispose();
    throw error;
  }
}
