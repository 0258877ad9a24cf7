import { asyncDisposable, type Checks } from "@qkv/core";
import type { DeviceMemory } from "@qkv/tensor";
import type { Connection } from "./connection.js";
import type { LoadedModel } from "./protocol.js";

/** A model in a worker: its sizes, and a handle for `generate` and `embed` of this package. */
export type WorkerModel = LoadedModel & {
  /** Memory use of the model's device in the worker. All clients of a shared model have the same device. */
  memory(): Promise<DeviceMemory>;
  /** Frees the model, unless other tabs share it, and ends a dedicated worker. Running calls reject. */
  dispose(): Promise<void>;
  /** `await using model = await load(…)` disposes of it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** Key of the connection in a model, the same in every copy of the package. */
const key = Symbol.for("@qkv/worker connection");

/** Creates the handle of a loaded model. */
export function workerModel(connection: Connection, loaded: LoadedModel): WorkerModel {
  const dispose = () => connection.leave();
  const model = {
    ...loaded,
    memory: () => connection.call("memory", "memory"),
    dispose,
    ...asyncDisposable(dispose),
  };
  return Object.defineProperty(model, key, { value: connection }) as unknown as WorkerModel;
}

/** Parts of the error for a model of the wrong kind. */
const kinds = {
  decoder: { expected: "a decoder, which generates", fix: "embed texts with `embed`, or load a decoder." },
  encoder: {
    expected: "an encoder, which embeds texts",
    fix: "generate with `generate`, or load an encoder such as BERT.",
  },
};

/** The connection of a model. @throws {ArgumentError} If the model is not from `load` of this package, or not of this kind. */
export function modelConnection(check: Checks, model: WorkerModel, kind: LoadedModel["kind"]): Connection {
  const connection = (model as { [key]?: Connection } | null | undefined)?.[key];
  if (!connection) {
    const { params, apply } = (model ?? {}) as { params?: unknown; apply?: unknown };
    const isInThisThread = params !== undefined && typeof apply === "function";
    return check.refuse({
      argument: "model",
      received: isInThisThread ? "a model in this thread" : model,
      expected: "a model in a worker",
      fix: isInThisThread
        ? `import \`${check.fn}\` from where its \`load\` comes from: @qkv/transformer, or qkv.`
        : "load it with `await load(source)` of @qkv/worker, or qkv/worker.",
    });
  }
  if (model.kind !== kind) {
    check.refuse({
      argument: "model",
      received: model.kind === "decoder" ? "a decoder" : "an encoder",
      ...kinds[kind],
    });
  }
  return connection;
}
