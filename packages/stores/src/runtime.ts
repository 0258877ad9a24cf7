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
 * Functions that run models: the module `@qkv/transformer` does in this thread, the module `@qkv/worker` in another. Both have
 * them by these names, and so may an object of yours.
 */
export type Runtime = {
  load(source: never, options?: never): Promise<object>;
  generate?(model: never, prompt: never, options?: never): AsyncIterable<{ readonly text: string }>;
  embed?(model: never, texts: readonly string[], options?: never): Promise<readonly ArrayLike<number>[]>;
};

/** A runtime as the stores call it: models, sources and options are those that its types let through. */
export type UncheckedRuntime = {
  load(source: unknown, options: object): Promise<object>;
  generate(model: object, prompt: unknown, options: object): AsyncIterable<{ readonly text: string }>;
  embed(model: object, texts: readonly string[], options: object): Promise<readonly ArrayLike<number>[]>;
};

/** The models of a runtime. */
export type ModelOf<R extends Runtime> = Awaited<ReturnType<R["load"]>>;
/** The sources that a runtime loads from. */
export type SourceOf<R extends Runtime> = Parameters<R["load"]>[0];
/** A source, or one that comes later: a promise of it, or a function that is called when the model is loaded. */
export type LaterSource<R extends Runtime> =
  SourceOf<R> | Promise<SourceOf<R>> | (() => SourceOf<R> | Promise<SourceOf<R>>);
/** Options of a function, but for those that a store gives; any object where it has none. */
type OptionsWithout<Options, Own extends string> = [NonNullable<Options>] extends [never]
  ? object
  : Omit<NonNullable<Options>, Own>;
/** Its options of loading, but for those that a store gives. */
export type LoadOptionsOf<R extends Runtime> = OptionsWithout<
  Parameters<R["load"]>[1],
  "signal" | "onProgress"
>;
type Generate<R extends Runtime> = NonNullable<R["generate"]>;
/** Its options of a generation, but for those that a store gives. */
export type GenerateOptionsOf<R extends Runtime> = OptionsWithout<Parameters<Generate<R>>[2], "signal">;
/** Its prompts. */
export type PromptOf<R extends Runtime> = Parameters<Generate<R>>[1];
/** One generated token. */
export type TokenOf<R extends Runtime> =
  ReturnType<Generate<R>> extends AsyncIterable<infer Token> ? Token : never;
type Embed<R extends Runtime> = NonNullable<R["embed"]>;
/** Its options of an embedding, but for those that a store gives. */
export type EmbedOptionsOf<R extends Runtime> = OptionsWithout<Parameters<Embed<R>>[2], "signal">;

/** Options of `load` of the transformer, whose device may also be opened when it is needed: `device: wasm`. */
export type MainThreadLoadOptions = Omit<LoadOptions, "device"> & {
  device?: Device | (() => Device | Promise<Device>);
};

/** A model of this thread. It has `dispose` where `load` opened a device for it, which that closes. */
export type MainThreadModel = AnyModel & { dispose?(): Promise<void> };

/** The runtime of this thread. */
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
 * Runs models in this thread, with `@qkv/transformer`, which is imported when the first model is loaded. Kinds of models are
 * told apart by their files.
 *
 * @example
 * ```ts
 * import { mainThread } from "@qkv/stores";
 *
 * // One layer of one head, a vocabulary of 5. Yours is a name, a folder or a file: mainThread.load("Qwen/Qwen3-0.6B").
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
    const { device: given, ...rest } = options;
    const { loadAny } = await import("@qkv/transformer");
    const read = (device?: Device) => {
      return loadAny(source, { ...rest, ...(device && { device }) });
    };
    return typeof given === "function" ? onOwnDevice(await given(), read) : read(given);
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

/** A model on a device that was opened for it, and is closed with it. */
async function onOwnDevice(
  device: Device & { close?(): void | Promise<void> },
  read: (device: Device) => Promise<AnyModel>,
): Promise<MainThreadModel> {
  const dispose = async () => device.close?.();
  try {
    return Object.assign(await read(device), { dispose });
  } catch (error) {
    await dispose();
    throw error;
  }
}
