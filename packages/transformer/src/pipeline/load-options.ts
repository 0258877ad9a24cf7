import { isQkvError, type Checks } from "@qkv/core";
import type { LoadOptions } from "../load.js";
import type { HubOptions } from "../loading/hub.js";
import type { Progress } from "../loading/open-file.js";

/** A loading event, as in Transformers.js. */
export type PipelineProgress =
  | { status: "initiate" | "download" | "done"; name: string; file: string }
  | {
      status: "progress";
      name: string;
      file: string;
      /** In percent; undefined if a server does not state the size. */
      progress: number | undefined;
      /** Unit: bytes. */
      loaded: number;
      total: number | undefined;
    }
  | { status: "ready"; task: string; model: string };

/** Options of {@link pipeline}: those of Transformers.js, and options of `load` without an equivalent there. */
export type PipelineOptions = Pick<LoadOptions, "device" | "tokenizer" | "hub" | "store" | "signal"> & {
  /**
   * Type of the weights. `"auto"` (default): the stored type, as in `load`. `"fp32"`: float32. `"q8"` and
   * `"int8"`: quantized to 8 bits on loading, `"q4"`: to 4 bits.
   */
  dtype?: "auto" | "fp32" | "q8" | "int8" | "q4";
  /** Receives loading events. */
  progress_callback?: (event: PipelineProgress) => void;
  /** A branch, tag or commit of a repository. Default `main`. */
  revision?: string;
  /** Folder of the hub's cache, in Node. Default: the cache of Python's `huggingface_hub`. */
  cache_dir?: string;
  /** True: no requests are sent. Default false. */
  local_files_only?: boolean;
};

const names: readonly (keyof PipelineOptions)[] = [
  "device",
  "dtype",
  "tokenizer",
  "hub",
  "store",
  "signal",
  "progress_callback",
  "revision",
  "cache_dir",
  "local_files_only",
];

/** Unsupported options of Transformers.js, and their replacements. */
const replacements: Readonly<Record<string, string>> = {
  config: "leave it out: `config.json` of the model is read.",
  model_file_name: "leave it out, or name the file of weights as the model: `./folder/other.safetensors`.",
  quantized: 'write `dtype: "q8"`.',
  session_options: "leave it out: there is no ONNX session; a device is given as `device`.",
  subfolder: "leave it out: weights lie beside `config.json`; give the folder that holds them.",
  use_external_data_format: "leave it out: weights in several files are found by their index.",
};

/** Unsupported dtypes of Transformers.js, and their replacements. */
const dtypeReplacements: Readonly<Record<string, string>> = {
  fp16: "leave it out: weights that are stored in 16 bits stay so on a device that reads them (`wasm`).",
  q4f16: 'write `dtype: "q4"`.',
  bnb4: 'write `dtype: "q4"`.',
  uint8: 'write `dtype: "q8"`.',
};

/** Device names of Transformers.js, and the calls that open these devices. */
const deviceCalls: Readonly<Record<string, string>> = {
  auto: "`device: await device()` of @qkv/device, which chooses the fastest",
  cpu: "`device: await wasm()` of @qkv/wasm, or leave it out for plain JavaScript",
  gpu: "`device: await webgpu()` of @qkv/webgpu",
  wasm: "`device: await wasm()` of @qkv/wasm",
  webgpu: "`device: await webgpu()` of @qkv/webgpu",
};

/** Refuses an unsupported option, with its replacement as the fix. */
export function refuseUnsupported(
  check: Checks,
  given: object | undefined,
  replacements: Readonly<Record<string, string>>,
  owner: string,
): void {
  const name = Object.keys(given ?? {}).find((name) => Object.hasOwn(replacements, name));
  if (name === undefined) return;
  const received = (given as Record<string, unknown>)[name];
  check.refuse({
    argument: name,
    received,
    expected: `no such option of ${owner}`,
    fix: replacements[name]!,
  });
}

/** Converts pipeline options to options of `load`. */
export function readLoadOptions(
  check: Checks,
  given: PipelineOptions | undefined,
): { load: LoadOptions; onEvent: (event: PipelineProgress) => void } {
  refuseUnsupported(check, given, replacements, "a pipeline");
  const options = check.options(given, names);
  const {
    dtype = "auto",
    device,
    hub,
    progress_callback,
    revision,
    cache_dir,
    local_files_only,
    ...otherOptions
  } = options;
  if (typeof device === "string") refuseDeviceName(check, device);
  check.each(
    { dtype },
    (value) => ["auto", "fp32", "q8", "int8", "q4"].includes(value as string),
    '"auto", "fp32", "q8", "int8" or "q4"',
    (Object.hasOwn(dtypeReplacements, dtype) ? dtypeReplacements[dtype] : undefined) ?? "leave it out.",
  );
  if (progress_callback !== undefined) check.type({ progress_callback }, "function");
  if (revision !== undefined) check.type({ revision }, "string");
  if (cache_dir !== undefined) check.type({ cache_dir }, "string");
  if (local_files_only !== undefined) check.type({ local_files_only }, "boolean");
  const onEvent = progress_callback ?? (() => undefined);
  const hubOptions: HubOptions = {
    ...hub,
    ...(revision !== undefined && { revision }),
    ...(cache_dir !== undefined && { cache: cache_dir }),
    ...(local_files_only && { offline: true }),
  };
  return {
    load: {
      ...otherOptions,
      ...(device && { device }),
      ...(dtype === "fp32" && { dtype: "float32" as const }),
      ...((dtype === "q8" || dtype === "int8") && { quantize: "int8" as const }),
      ...(dtype === "q4" && { quantize: "int4" as const }),
      hub: hubOptions,
      ...(progress_callback && { onProgress: progressEvents(onEvent) }),
    },
    onEvent,
  };
}

function refuseDeviceName(check: Checks, name: string): never {
  const call = Object.hasOwn(deviceCalls, name) ? deviceCalls[name] : undefined;
  check.refuse({
    argument: "device",
    received: name,
    expected: "a device, which is a value that you open",
    fix: `write ${call ?? deviceCalls["auto"]!}.`,
  });
}

/** Converts byte progress to events: the start, progress and end of each file. */
function progressEvents(onEvent: (event: PipelineProgress) => void): (progress: Progress) => void {
  const started = new Set<string>();
  const done = new Set<string>();
  return ({ source, loaded, total }) => {
    const file = source.replace(/[?#].*$/, "").replace(/^.*[\\/]/, "");
    const fileEvent = { name: source, file };
    if (!started.has(source)) {
      started.add(source);
      onEvent({ status: "initiate", ...fileEvent });
      onEvent({ status: "download", ...fileEvent });
    }
    const progress = total === undefined ? undefined : total === 0 ? 100 : (100 * loaded) / total;
    onEvent({ status: "progress", ...fileEvent, progress, loaded, total });
    if (loaded !== total || done.has(source)) return;
    done.add(source);
    onEvent({ status: "done", ...fileEvent });
  };
}

/** Refuses a repository that contains only ONNX files. */
export function refuseOnnx(check: Checks, model: unknown, cause: unknown): void {
  if (typeof model !== "string" || !/^(Xenova|onnx-community)\//.test(model) || !isQkvError(cause)) return;
  check.refuse({
    argument: "model",
    received: model,
    expected: "a model in safetensors or GGUF; this name is that of a conversion to ONNX",
    fix: "give the repository that it was converted from, which its page names as the base model.",
    cause,
  });
}
