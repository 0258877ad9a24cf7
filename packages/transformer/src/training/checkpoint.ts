import { checks, FormatError, readSafetensorsHeader, type Checks } from "@qkv/core";
import { isTensor, type Device, type Tensor } from "@qkv/tensor";
import type { OptimizerState } from "@qkv/tensor/optimizers";
import { readSafetensors, writeSafetensors } from "@qkv/tensor/safetensors";

const format = "qkv-checkpoint";
const version = "1";

/** A training checkpoint: everything needed to resume a run. */
export type Checkpoint<P> = {
  params: P;
  state: OptimizerState<P>;
  /** Metadata of the run, as JSON. */
  notes: unknown;
};

/**
 * Writes a training run as the bytes of a safetensors file: params, optimizer state, and notes.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { sgd } from "@qkv/tensor/optimizers";
 * import { readCheckpoint, writeCheckpoint } from "@qkv/transformer/training";
 *
 * const params = { layers: [{ w: tensor([1, 2]) }] };
 * const bytes = await writeCheckpoint({ params, state: sgd({ learningRate: 1 }).init(params), notes: { seed: 7 } });
 * const restored = await readCheckpoint<typeof params>(bytes);
 * restored.params.layers[0]!.w.toNested(); // => [1, 2]
 * restored.notes; // => { seed: 7 }
 * ```
 */
export async function writeCheckpoint<P>(checkpoint: Checkpoint<P>): Promise<Uint8Array> {
  const check: Checks = checks("writeCheckpoint");
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  check.each({ checkpoint }, isObject, "{ params, state, notes }");
  const { params, state, notes } = check.options(checkpoint, ["params", "state", "notes"], "checkpoint");
  check.each({ params }, isObject, "tensors nested in objects and lists", "give those that `train` changes.");
  checkKeys(check, "params", params);
  const fix = "give the state that `train` reports, or that `optimizer.init(params)` makes.";
  check.each({ state }, isObject, "the state of an optimizer", fix);
  const metadata = { format, version, step: String(state.step), notes: jsonText(check, notes) };
  return writeSafetensors({ params, moments: state.moments }, metadata);
}

/**
 * Reads the bytes written by {@link writeCheckpoint}.
 *
 * @param options - `device`: device of the tensors. Default: the plain device.
 * @throws {FormatError} If the file is damaged, truncated, or not a checkpoint of this version.
 */
export async function readCheckpoint<P>(
  bytes: Uint8Array,
  options?: { device?: Device },
): Promise<Checkpoint<P>> {
  const isBytes = (value: unknown) => value instanceof Uint8Array;
  checks("readCheckpoint").each({ bytes }, isBytes, "the bytes of a checkpoint, as a Uint8Array");
  const { device } = checks("readCheckpoint").options(options, ["device"]);
  const source = "checkpoint";
  const fix = "give a file that `writeCheckpoint` of this version made.";
  const check = checks("readCheckpoint", { source, fix }, FormatError);
  // Read first, so that errors about the file name this function.
  readSafetensorsHeader(bytes, { source, fn: check.fn });
  const { tensors, metadata } = await readSafetensors(bytes);
  for (const [field, expected] of Object.entries({ format, version })) {
    check.each({ [field]: metadata[field] }, (value) => value === expected, JSON.stringify(expected));
  }
  const step = Number(metadata.step);
  const isCount = (text: unknown) => /^\d+$/.test(String(text));
  check.each({ step: metadata.step }, isCount, "an integer number of updates");
  const tree = nestedTensors(
    Object.entries(tensors).map(([path, x]) => [path.split("."), device ? x.to(device) : x] as const),
  ) as { params?: P; moments?: Record<string, P> };
  check.each({ params: tree.params }, (params) => params !== undefined, "tensors under this name");
  return {
    params: tree.params as P,
    state: { step, moments: tree.moments ?? {} },
    notes: parseNotes(check, metadata.notes ?? "null"),
  };
}

function parseNotes(check: Checks, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return check.refuse({ argument: "notes", received: text, expected: "JSON" } as never);
  }
}

/** Metadata of a run as JSON. */
function jsonText(check: Checks, notes: unknown): string {
  try {
    return JSON.stringify(notes ?? null) ?? "null";
  } catch (cause) {
    const fix = "leave out functions, tensors, bigints and what refers to itself.";
    return check.refuse({
      argument: "checkpoint.notes",
      received: notes,
      expected: "values that JSON has",
      fix,
      cause,
    });
  }
}

/** Refuses keys with dots, because dots separate paths in the file. */
function checkKeys(check: Checks, path: string, tree: unknown): void {
  if (isTensor(tree) || typeof tree !== "object" || tree === null) return;
  for (const [key, value] of Object.entries(tree)) {
    if (key.includes("."))
      check.refuse({
        argument: path,
        received: `the key "${key}"`,
        expected: "keys without dots, which tell paths in the file",
        fix: `nest the tensors in objects, or write \`${key.replaceAll(".", "/")}\`.`,
      });
    checkKeys(check, `${path}.${key}`, value);
  }
}

/** Converts tensors by path to nested objects. Integer keys become lists; list entries without tensors are empty objects. */
function nestedTensors(entries: readonly (readonly [readonly string[], Tensor])[]): unknown {
  if (entries.length === 1 && entries[0]![0].length === 0) return entries[0]![1];
  const children = new Map<string, (readonly [string[], Tensor])[]>();
  for (const [[key, ...rest], x] of entries) {
    const list = children.get(key!) ?? [];
    list.push([rest, x]);
    children.set(key!, list);
  }
  const keys = [...children.keys()];
  const isList = keys.length > 0 && keys.every((key) => /^(0|[1-9]\d{0,4})$/.test(key));
  const length = Math.max(...keys.map(Number)) + 1;
  if (isList) return Array.from({ length }, (_, i) => nestedTensors(children.get(String(i)) ?? []));
  return Object.fromEntries([...children].map(([key, list]) => [key, nestedTensors(list)]));
}
