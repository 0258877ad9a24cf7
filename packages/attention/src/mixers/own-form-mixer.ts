import { checkFits, checks } from "@qkv/core";
import { checkTensor, mul, type Tensor } from "@qkv/tensor";
import { inSegments } from "./in-segments.js";
import { checkInputs } from "./mixer-inputs.js";
import type { MixerSizes } from "./mixer.js";
import { segmentsOf, type ResetOptions } from "./resets.js";

/** Arguments of a mixer with its own form: checked, and with heads repeated to the same number. */
export type OwnFormCall<Required extends string, Optional extends string, State> = {
  /** The query is scaled. Every input has the heads of the output; `[B, H, T]` is expanded to `[B, H, T, 1]`. */
  readonly inputs: Readonly<Record<Required, Tensor> & Partial<Record<Optional, Tensor>>>;
  /** Undefined before the first token. */
  readonly initialState: State | undefined;
};

/**
 * A sequence mixer whose state is more than one matrix that is decayed and written: it computes its own
 * output and state, and {@link mix} checks the inputs.
 */
export type OwnFormMixer<Required extends string, Optional extends string, State extends object> = {
  readonly name: string;
  /** Axes of each input by name, such as `"B H T K"`. */
  readonly inputs: Readonly<Record<Required, string>>;
  /** Axes of inputs that may be left out. */
  readonly optional: Readonly<Record<Optional, string>>;
  /** Axes of the tensors of the state by name. A letter that no input has may be of any length. */
  readonly stateAxes: Readonly<Record<string, string>>;
  /** Factor of the query if the option `scale` is absent. */
  scale(sizes: MixerSizes): number;
  ownForm(call: OwnFormCall<Required, Optional, State>): OwnFormResult<State>;
};

/** `output` `[B, H, T, V]`, and the state after the last token. */
export type OwnFormResult<State> = { readonly output: Tensor; readonly state: State };

/** Options of {@link mix} for a mixer with a form of its own. */
export type OwnFormOptions<State> = ResetOptions & {
  /** State before the first token, as an earlier call returned it. Default: the state of no tokens. */
  initialState?: State;
  /** Factor of the query. Default: the mixer's own. */
  scale?: number;
};

/** Checks the inputs and the state of a mixer with a form of its own, and applies it. */
export function mixOwnForm<Required extends string, Optional extends string, State extends object>(
  mixer: OwnFormMixer<Required, Optional, State>,
  inputs: Readonly<Record<string, Tensor>>,
  options: OwnFormOptions<State> | undefined,
): OwnFormResult<State> {
  const check = checks("mix");
  refuseForm(mixer.name, options);
  const names = ["initialState", "scale", "documents", "padding"] as const;
  const { initialState, scale, documents, padding } = check.options(options, names);
  if (scale !== undefined) check.finite({ scale });
  const checked = checkInputs("mix", mixer, inputs);
  const fix = "leave the call out where there is nothing to mix.";
  check.whole({ "the number of tokens": checked.seqLen }, { min: 1, unit: "tokens", fix });
  const { dtype, device } = Object.values(checked.inputs)[0]!;
  if (initialState !== undefined) {
    const lengths: Record<string, number> = { ...checked.lengths, H: checked.numHeads };
    for (const [name, axes] of Object.entries(mixer.stateAxes)) {
      const argument = `initialState.${name}`;
      const initial = checkTensor("mix", argument, (initialState as Record<string, unknown>)[name]);
      const shape = axes.split(" ").map((axis, i) => lengths[axis] ?? (Number(axis) || initial.shape[i]!));
      const fix = "give the `state` that an earlier call with the same mixer and sizes returned.";
      checkFits("mix", argument, initial, { dtype, shape }, `as ${mixer.name} has for these inputs`, fix);
    }
  }
  return device.scope(() => {
    const query = checked.inputs["query"]!;
    const factor = scale ?? mixer.scale(checked.sizes);
    const scaled = factor === 1 ? query : mul(query, factor);
    const { batchSize, seqLen } = checked;
    const result = inSegments(
      (inputs, initialState) =>
        mixer.ownForm({ inputs, initialState } as never) as OwnFormResult<Record<string, Tensor>>,
      {
        name: mixer.name,
        axes: { inputs: { ...mixer.inputs, ...mixer.optional }, state: mixer.stateAxes },
        inputs: { ...checked.inputs, query: scaled },
        initialState: initialState as Record<string, Tensor> | undefined,
        segments: segmentsOf({ documents, padding, batchSize, seqLen }),
      },
    );
    return result as OwnFormResult<object> as OwnFormResult<State>;
  });
}

/** Refuses the option `form`, which only mixers that are linear in their state have. */
function refuseForm(name: string, options: object | undefined): void {
  const received = (options as { form?: unknown } | null | undefined)?.form;
  if (received === undefined) return;
  checks("mix").refuse({
    argument: "form",
    received,
    expected: `nothing for ${name}, which has a form of its own`,
    fix: "leave it out: the mixer has one form, which is equal for parts of a sequence and for the whole.",
  });
}
