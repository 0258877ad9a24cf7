import { asyncDisposable, type Checks } from "@qkv/core";
import type { DeviceMemory } from "@qkv/tensor";
import type { Connection } from "./connection.js";
import type { LoadedModel } from "./protocol.js";

/** A model in a worker: its sizes, and a handle for `generate` and `embed`. */
export type WorkerModel = LoadedModel & {
  /** Bytes of the model's device in the worker. Two shares of one model have one device. */
  memory(): Promise<DeviceMemory>;
  /** Frees the model, unless other tabs share it, and ends a worker that is its own. What is under way ends with an error. */
  dispose(): Promise<void>;
  /** `await using model = await load(…)` disposes of it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** The property of the connection, the same in every copy of the package. */
const key = Symbol.for("@qkv/worker connection");

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

const uses = {
  decoder: { expected: "a decoder, which generates", fix: "embed texts with `embed`, or load a decoder." },
  encoder: {
    expected: "an encoder, which embeds texts",
    fix: "generate with `generate`, or load an encoder such as BERT.",
  },
};

/** The connection of a model of a kind. @throws {ArgumentError} If it is none of `load` of this package, or of another kind. */
export function connectionOf(check: Checks, model: WorkerModel, kind: LoadedModel["kind"]): Connection {
  const connection = (model as { [key]?: Connection } | null | undefined)?.[key];
  if (!connection) {
    const { params, apply } = (model ?? {}) as { params?: unknown; apply?: unknown };
    const isHere = params !== undefined && typeof apply === "function";
    return check.refuse({
      argument: "model",
      received: isHere ? "a model in this thread" : model,
      expected: "a model in a worker",
      fix: isHere
        ? `import \`${check.fn}\` from where its \`load\` comes from: @qkv/transformer, or qkv.`
        : "load it with `await load(source)` of @qkv/worker, or qkv/worker.",
    });
  }
  if (model.kind !== kind) {
    check.refuse({
      argument: "model",
      received: model.kind === "decoder" ? "a decoder" : "an encoder",
      ...uses[kind],
    });
  }
  return connection;
}
