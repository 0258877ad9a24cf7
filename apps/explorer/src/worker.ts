// The model of the explorer, in a worker: it answers one question after the other.
import { transformerBlockModel } from "@qkv/figures/transformer-block";
import { lensSession, type CallOptions, type LensSession } from "@qkv/lens/session";
import { modelTiny } from "@qkv/model-tiny";
import { mapTensors, sizeOf, type Tensor } from "@qkv/tensor";
import { load, type Model, type Source } from "@qkv/transformer";
import { wasm, type WasmDevice } from "@qkv/wasm";
import { createBirpc } from "birpc";
import { flagReader } from "./cancel-flag";
import { loadFailure } from "./load-failure";
import type { Asked, ModelFacts, ModelSource, PageFunctions, WorkerFunctions } from "./protocol";

const scope = self as unknown as Worker;
let open: { model: Model; session: LensSession; device: WasmDevice } | undefined;
/** Tells whether somebody waits for the answer that is computed. */
let abortCallback = () => false;

async function loadModel(
  source: ModelSource,
  { isCancelled, onProgress }: Required<CallOptions>,
): Promise<ModelFacts> {
  const before = open;
  open = undefined; // its memory is free while the next one is read
  await before?.device.close();
  const loading = new AbortController();
  const watching = setInterval(() => {
    if (isCancelled()) loading.abort(new DOMException("Loading was cancelled.", "AbortError"));
  }, 20);
  try {
    return await readModel(source, loading.signal, onProgress);
  } finally {
    clearInterval(watching);
  }
}

async function readModel(
  source: ModelSource,
  signal: AbortSignal,
  onProgress: (part: number) => void,
): Promise<ModelFacts> {
  const device = await wasm({ threads: "auto", abortCallback: () => abortCallback() });
  const place: Source | readonly File[] = await sourceOf(source);
  const loading = load(place, {
    ...{ device, signal },
    hub: {
      client: { downloadFile: async (params) => (await import("@huggingface/hub")).downloadFile(params) },
    },
    onProgress: ({ loaded, total }) => total !== undefined && onProgress(loaded / total),
  });
  const model = await loading.catch(async (error: Error) => {
    await device.close();
    if (error.name === "AbortError") throw error;
    throw new Error(loadFailure(error, "place" in source ? source.place : undefined), { cause: error });
  });
  open = { model, session: lensSession(model), device };
  const { numLayers, numHeads, numKvHeads, embedDim, vocabSize, contextLength } = model.config;
  let parameters = 0;
  mapTensors(model.params as never, (x: Tensor) => {
    parameters += sizeOf(x.shape);
    return x;
  });
  return {
    ...{ numLayers, numHeads, numKvHeads, embedDim, vocabSize, contextLength },
    ...{ parameters, device: device.name },
  };
}

async function sourceOf(source: ModelSource): Promise<Source | readonly File[]> {
  if ("small" in source) return modelTiny();
  if ("place" in source) return source.place;
  const [first, ...others] = source.files;
  return first && others.length === 0 ? first : source.files;
}

function opened() {
  if (!open) throw new Error("No model is loaded.");
  return open;
}

/** Questions wait for the one before. */
let before: Promise<unknown> = Promise.resolve();

function inTurn<T>({ id, flag }: Asked, answer: (options: Required<CallOptions>) => Promise<T>): Promise<T> {
  const isCancelled = flagReader(flag);
  let told = 0;
  const onProgress = (part: number) => {
    const now = performance.now();
    if (now - told < 50 && part < 1) return;
    told = now;
    page.$callEvent("progress", id, part);
  };
  const answered = before.then(() => {
    abortCallback = isCancelled;
    return answer({ isCancelled, onProgress });
  });
  before = answered.catch(() => undefined);
  return answered;
}

const functions: WorkerFunctions = {
  load: (asked, source) => inTurn(asked, (options) => loadModel(source, options)),
  ask: (asked, name, question) =>
    inTurn(asked, (options) => opened().session[name](question as never, options) as Promise<unknown>),
  figure: (asked, text, removed, name) =>
    inTurn(asked, () => transformerBlockModel(opened().model, text, { removed, name })),
};

const page = createBirpc<PageFunctions, WorkerFunctions, false>(functions, {
  post: (message) => scope.postMessage(message),
  on: (f) => scope.addEventListener("message", ({ data }) => f(data)),
  timeout: -1,
  proxify: false,
});
