import type { Figure, FigureChoices, Moment, Step } from "./figure.js";

/** State of a figure on a page. */
export type PlayerState<Model, Choices> = {
  model: Model;
  choices: Choices;
  /** Index of the step. */
  step: number;
  /** Progress of the step, from 0 to 1. */
  progress: number;
  /** Plays nothing, this step to its end, or all steps to the last. */
  playing: "no" | "step" | "all";
  /** Playback speed. 1: as long as the `milliseconds` of the steps. */
  speed: number;
  /** Address of the cell that was pressed. */
  focus: string | undefined;
  /** Shows each step finished, without animation (`prefers-reduced-motion`). */
  still: boolean;
};

/** Actions that change the state of a figure. `tick` is the passing of time. */
export type PlayerAction<Model, Choices> =
  | { type: "play" | "pause" | "toggle" | "next" | "back" }
  | { type: "seek"; step: number | string; progress?: number }
  | { type: "speed"; speed: number }
  | { type: "choose"; choices: Partial<Choices> }
  | { type: "model"; model: Model; choices?: Partial<Choices> } // `choices`: those that the model was computed for
  | { type: "focus"; cell: string | undefined }
  | { type: "still"; still: boolean }
  | { type: "tick"; milliseconds: number };

/** The state machine of a figure. */
export type Player<Model, Choices> = {
  start(model: Model, choices?: Partial<Choices>): PlayerState<Model, Choices>;
  reduce(
    state: PlayerState<Model, Choices>,
    action: PlayerAction<Model, Choices>,
  ): PlayerState<Model, Choices>;
};

/**
 * Returns the state machine of a figure: `reduce` is a pure function of a state and an action, such as a press or a tick.
 *
 * - *next* plays one step to its end, *back* shows the end of the previous step, *play* at the end starts at the first step.
 * - After a change of choices or of the model, the step with the same id is shown, or else one of the same chapter.
 * - Without animation (`still`), a step is shown finished, for as long as it would have played.
 *
 * @example
 * ```ts
 * import { player, type Figure } from "@qkv/viz/figures";
 *
 * const step = (id: string) => ({ id, chapter: "Count", title: id, text: id, milliseconds: 1000 });
 * const figure: Figure<number, Record<string, never>> = {
 *   name: "count", title: "Count", caption: "Counts.", initial: {}, initialStep: "one",
 *   steps: () => [step("one"), step("two")],
 *   scene: (_, __, ___, width) => ({ width, height: 1, marks: [], description: "" }),
 *   controls: () => [],
 *   table: () => ({ columns: [], rows: [] }),
 * };
 * const { start, reduce } = player(figure);
 * const playing = reduce(reduce(start(0), { type: "next" }), { type: "tick", milliseconds: 250 });
 * [playing.step, playing.progress]; // => [1, 0.25]
 * ```
 */
export function player<Model, Choices extends FigureChoices>(
  figure: Figure<Model, Choices>,
): Player<Model, Choices> {
  type State = PlayerState<Model, Choices>;
  const stateSteps = ({ model, choices }: Pick<State, "model" | "choices">) => figure.steps(model, choices);

  function start(model: Model, choices: Partial<Choices> = {}): State {
    const initialChoices = { ...figure.initial, ...choices };
    const steps = figure.steps(model, initialChoices);
    const initialIndex = steps.findIndex(({ id }) => id === figure.initialStep);
    const step = initialIndex < 0 ? steps.length - 1 : initialIndex;
    return {
      model,
      choices: initialChoices,
      step,
      progress: 1,
      playing: "no",
      speed: 1,
      focus: undefined,
      still: false,
    };
  }

  function reduce(state: State, action: PlayerAction<Model, Choices>): State {
    const steps = stateSteps(state);
    const last = steps.length - 1;
    const rest = { playing: "no", focus: undefined } as const;
    switch (action.type) {
      case "toggle":
        return reduce(state, { type: state.playing === "no" ? "play" : "pause" });
      case "pause":
        return { ...state, playing: "no" };
      case "play": {
        const ended = state.step === last && state.progress >= 1;
        return { ...state, focus: undefined, playing: "all", ...(ended && { step: 0, progress: 0 }) };
      }
      case "next":
        if (state.progress < 1 && state.playing === "no")
          return { ...state, focus: undefined, playing: "step" };
        if (state.step === last) return { ...state, ...rest, progress: 1 };
        return { ...state, focus: undefined, playing: "step", step: state.step + 1, progress: 0 };
      case "back":
        return { ...state, ...rest, step: Math.max(0, state.step - 1), progress: state.step === 0 ? 0 : 1 };
      case "seek": {
        const { step, progress = 1 } = action;
        const index = typeof step === "number" ? step : steps.findIndex(({ id }) => id === step);
        if (index < 0 || index > last) return state;
        return { ...state, ...rest, step: index, progress: Math.min(1, Math.max(0, progress)) };
      }
      case "speed":
        return { ...state, speed: action.speed };
      case "choose":
        return follow(state, { ...state, choices: { ...state.choices, ...action.choices } });
      case "model":
        return follow(state, {
          ...state,
          model: action.model,
          choices: { ...state.choices, ...action.choices },
        });
      case "focus":
        return { ...state, focus: action.cell, playing: action.cell === undefined ? state.playing : "no" };
      case "still":
        return { ...state, still: action.still };
      case "tick":
        return tick(state, steps, action.milliseconds);
    }
  }

  /** Keeps the current step when the list of steps changes. */
  function follow(before: State, after: State): State {
    const steps = stateSteps(after);
    const step = sameStep(stateSteps(before)[before.step]!, before.step, steps);
    return { ...after, step };
  }

  return { start, reduce };
}

function sameStep({ id, chapter }: Step, index: number, steps: readonly Step[]): number {
  const same = steps.findIndex((step) => step.id === id);
  if (same >= 0) return same;
  const near = steps.findLastIndex((step) => step.chapter === chapter);
  return near >= 0 ? near : Math.min(index, steps.length - 1);
}

function tick<State extends PlayerState<unknown, unknown>>(
  state: State,
  steps: readonly Step[],
  milliseconds: number,
): State {
  if (state.playing === "no") return state;
  let { step, progress } = state;
  let left = milliseconds * state.speed;
  for (;;) {
    const duration = steps[step]!.milliseconds;
    const needed = duration * (1 - progress);
    if (left < needed) return { ...state, step, progress: progress + left / duration };
    left -= needed;
    if (state.playing === "step" || step === steps.length - 1)
      return { ...state, step, progress: 1, playing: "no" };
    [step, progress] = [step + 1, 0];
  }
}

/**
 * The moment that is shown. Without animation, a step is shown finished.
 *
 * @example
 * ```ts
 * import { moment } from "@qkv/viz/figures";
 *
 * moment({ step: 2, progress: 0.4, playing: "all", still: true, focus: undefined }); // => { step: 2, progress: 1 }
 * ```
 */
export function moment(
  state: Pick<PlayerState<unknown, unknown>, "step" | "progress" | "playing" | "still" | "focus">,
): Moment {
  const { step, progress, playing, still, focus } = state;
  const shown = { step, progress: still && playing !== "no" ? 1 : progress };
  return focus === undefined ? shown : { ...shown, focus };
}
