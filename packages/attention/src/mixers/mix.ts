import { checkFits, checks, type Checks } from "@qkv/core";
import { checkTensor, mul, repeat, reshape, slice, squeeze, zeros, type Tensor } from "@qkv/tensor";
import { chunkwise } from "./chunkwise.js";
import { checkMixer, type Mixer } from "./mixer.js";
import { mixOwnForm, type OwnFormMixer, type OwnFormOptions, type OwnFormResult } from "./own-form-mixer.js";
import { checkInputs } from "./mixer-inputs.js";
import { clearPadding, withResets, type ResetOptions } from "./resets.js";
import { takesFactors, type Scan, type Scanned } from "./scan.js";

/** Options of {@link mix}. */
export type MixOptions = ResetOptions & {
  /** State before the first token, as an earlier call returned it: `[B, H, K, V]` for most mixers. Default: zeros. */
  initialState?: Tensor;
  /**
   * True if the final state may overwrite the memory of `initialState`, which must then not be read again. Decoding moves fewer bytes
   * on devices with a kernel for it. Not allowed while gradients are recorded, or with `documents` or `padding`. Default false.
   */
  overwrite?: boolean;
  /** Form of the computation: {@link chunkwise}, {@link recurrent} or {@link parallel}. Default `chunkwise()`. */
  form?: Scan;
  /** Factor of the query. Default: the mixer's own, mostly `1 / √K`. */
  scale?: number;
};

/**
 * Applies a sequence mixer, such as linear attention, a delta rule or a state space model. Each token writes to a state of fixed size,
 * which its query reads, so the work is linear in T, and the cost of decoding a token does not depend on the number of earlier tokens.
 *
 * @param mixer - Such as `linearAttention()`, `gla()` or `gatedDeltaRule()`.
 * @param inputs - By name: `query` and `key` `[B, H, T, K]`, `value` `[B, H, T, V]`, and what else the mixer takes, such
 *   as `decay` (natural logarithms, at most 0) and `beta`. Inputs of fewer heads are shared by neighbouring ones.
 * @returns `output` `[B, H, T, V]`, and the `state` after the last token, for the next call's `initialState`.
 * @throws {ArgumentError} If an input is missing or unknown to the mixer, or an option is not one.
 * @throws {ShapeError} If shapes do not fit together.
 * @see "Transformers are RNNs" (2020), arXiv:2006.16236
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { linearAttention, mix } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, D]
 * const { output, state } = mix(linearAttention(), { query: x, key: x, value: x });
 * [output.shape, state.shape]; // => [[1, 2, 6, 4], [1, 2, 4, 4]]
 * ```
 */
export function mix<Required extends string, Optional extends string>(
  mixer: Mixer<Required, Optional>,
  inputs: MixInputs<Required, Optional>,
  options?: MixOptions,
): Scanned;
export function mix<Required extends string, Optional extends string, State extends object>(
  mixer: OwnFormMixer<Required, Optional, State>,
  inputs: MixInputs<Required, Optional>,
  options?: OwnFormOptions<State>,
): OwnFormResult<State>;
export function mix(
  mixer: Mixer<string, string> | OwnFormMixer<string, string, object>,
  inputs: Readonly<Record<string, Tensor>>,
  options?: MixOptions | OwnFormOptions<object>,
): Scanned | OwnFormResult<object> {
  checkMixer("mix", mixer);
  return "ownForm" in mixer
    ? mixOwnForm(mixer, inputs, options as OwnFormOptions<object>)
    : mixByScan(mixer, inputs, options as MixOptions);
}

function mixByScan(
  mixer: Mixer<string, string>,
  inputs: Readonly<Record<string, Tensor>>,
  options: MixOptions | undefined,
): Scanned {
  const fn = "mix";
  const check = checks(fn);
  const {
    initialState,
    overwrite = false,
    form,
    scale,
    documents,
    padding,
  } = check.options(options, ["initialState", "overwrite", "form", "scale", "documents", "padding"]);
  if (form !== undefined)
    check.type({ form }, "function", "give `chunkwise(64)`, `recurrent` or `parallel`.");
  if (scale !== undefined) check.finite({ scale });
  check.type({ overwrite }, "boolean");
  if (overwrite) refuseOverwrite(check, { ...inputs, initialState }, { documents, padding });
  const checked = checkInputs(fn, mixer, inputs);
  const { sizes, batchSize, seqLen, numHeads, numStates } = checked;
  const group = numHeads / numStates;
  const { dtype, device } = Object.values(checked.inputs)[0]!;
  const stateShape = [batchSize, numStates, ...mixer.stateShape(sizes)];
  if (initialState !== undefined) {
    const initial = checkTensor(fn, "initialState", initialState);
    const because = `as ${mixer.name} has for these inputs`;
    const fix = "give the `state` that an earlier call with the same mixer and sizes returned.";
    checkFits(fn, "initialState", initial, { dtype, shape: stateShape }, because, fix);
  }
  return device.scope(() => {
    const start = initialState ?? zeros(stateShape, { dtype, device });
    const factor = scale ?? mixer.scale(sizes);
    const reuses = overwrite && initialState !== undefined && group === 1;
    const scan = takesFactors(withResets(form ?? chunkwise(), { batchSize, seqLen, documents, padding }));
    const { output, state } = mixer.mix({
      ...(mixer.scaled === "reads"
        ? {
            inputs: checked.inputs as never,
            scan: (steps, state) => scan({ ...steps, scale: factor }, state, { overwrite: reuses }),
          }
        : { inputs: scaledQuery(checked.inputs, factor) as never, scan }),
      state: group === 1 ? start : repeat(start, group, 1),
    });
    return {
      output: clearPadding(output, padding),
      state: group === 1 ? state : firstOfGroups(state, numStates),
    };
  });
}

/** Refuses `overwrite` if the initial state may still be read: while gradients are recorded, or with documents or padding. */
function refuseOverwrite(
  check: Checks,
  tensors: Readonly<Record<string, Tensor | undefined>>,
  { documents, padding }: Readonly<Record<"documents" | "padding", unknown>>,
): void {
  const fix = "leave `overwrite` out.";
  const expected = "false where";
  if (Object.values(tensors).some((x) => x?.nodes?.length)) {
    check.refuse({
      argument: "overwrite",
      received: true,
      expected: `${expected} gradients are recorded`,
      fix,
    });
  }
  if (documents !== undefined || padding !== undefined) {
    const option = documents === undefined ? "padding" : "documents";
    check.refuse({
      argument: "overwrite",
      received: true,
      expected: `${expected} there are \`${option}\``,
      fix,
    });
  }
}

/** Inputs of a mixer by name. */
export type MixInputs<Required extends string, Optional extends string> = Readonly<
  Record<Required, Tensor> & Partial<Record<Optional, Tensor>>
>;

function scaledQuery({ query, ...inputs }: Readonly<Record<string, Tensor>>, factor: number) {
  return query && factor !== 1
    ? { ...inputs, query: mul(query, factor) }
    : { ...inputs, ...(query && { query }) };
}

/** The states of the first head of each group, since all query heads of a group have equal states. */
function firstOfGroups(state: Tensor, numStates: number): Tensor {
  const [B, H, ...rest] = state.shape as [number, number, ...number[]];
  return squeeze(slice(reshape(state, [B, numStates, H / numStates, ...rest]), 2, 0, 1), 2);
}
