import type { Control, Figure, FigureChoices } from "./figure.js";
import { player, type PlayerState } from "./player.js";

/**
 * The state of a figure as a query string: the step, the focused cell, and the choices that differ from the initial ones.
 * {@link fromPermalink} reads it.
 *
 * @returns A text such as `step=score-2&token=3`, empty for the initial state.
 *
 * @example
 * ```ts
 * import { player, toPermalink, type Figure } from "@qkv/viz/figures";
 *
 * const step = (id: string) => ({ id, chapter: id, title: id, text: id, milliseconds: 1000 });
 * const figure: Figure<number, { token: number }> = {
 *   name: "words", title: "Words", caption: "Words.", initial: { token: 0 },
 *   steps: () => [step("query"), step("scores")],
 *   scene: (_, __, ___, width) => ({ width, height: 1, marks: [], description: "" }),
 *   controls: () => [{ kind: "range", key: "token", label: "Token", min: 0, max: 5, step: 1 }],
 *   table: () => ({ columns: [], rows: [] }),
 * };
 * const { start, reduce } = player(figure);
 * const state = reduce(start(0, { token: 3 }), { type: "seek", step: "query" });
 * toPermalink(figure, state); // => "step=query&token=3"
 * ```
 */
export function toPermalink<Model, Choices extends FigureChoices>(
  figure: Figure<Model, Choices>,
  state: PlayerState<Model, Choices>,
): string {
  const { model, choices, step, progress, focus } = state;
  const opened = player(figure).start(model, choices);
  const text = new URLSearchParams();
  if (step !== opened.step || progress !== 1) text.set("step", figure.steps(model, choices)[step]!.id);
  if (progress !== 1) text.set("at", String(Number(progress.toFixed(2))));
  if (focus !== undefined) text.set("cell", focus);
  for (const [name, value] of Object.entries(choices)) {
    if (value !== figure.initial[name]) text.set(name, String(value));
  }
  return text.toString();
}

/** State of a permalink: choices of the figure, step, progress and focused cell. */
export type Permalink<Choices> = {
  choices: Partial<Choices>;
  step?: string;
  progress?: number;
  focus?: string;
};

/**
 * Parses the text of {@link toPermalink}. Names and values that the figure does not offer are ignored, because anybody can
 * write a link.
 *
 * @param controls - The controls of the figure. Choices that none of them offers are ignored.
 *
 * @example
 * ```ts
 * import { fromPermalink } from "@qkv/viz/figures";
 *
 * const token = { kind: "range", key: "token", label: "Token", min: 0, max: 5, step: 1 } as const;
 * fromPermalink("step=query&token=3&size=9", { token: 0 }, [token]); // => { choices: { token: 3 }, step: "query" }
 * ```
 */
export function fromPermalink<Choices extends FigureChoices>(
  text: string,
  initial: Choices,
  controls: readonly Control<Choices>[],
): Permalink<Choices> {
  const given = new URLSearchParams(text);
  const choices: Record<string, string | number | boolean> = {};
  for (const control of controls) {
    const written = given.get(control.key);
    const value = written === null ? undefined : readChoice(written, initial[control.key]!, control);
    if (value !== undefined) choices[control.key] = value;
  }
  const [step, at, focus] = ["step", "at", "cell"].map((name) => given.get(name) ?? undefined);
  const progress = Number(at);
  return {
    choices: choices as Partial<Choices>,
    ...(step !== undefined && { step }),
    ...(at !== undefined && progress >= 0 && progress <= 1 && { progress }),
    ...(focus !== undefined && { focus }),
  };
}

function readChoice(
  text: string,
  like: string | number | boolean,
  control: Control,
): string | number | boolean | undefined {
  const value =
    typeof like === "number" ? Number(text || NaN) : typeof like === "boolean" ? text === "true" : text;
  switch (control.kind) {
    case "choice":
    case "select":
      return control.options.some((option) => option.value === value) ? value : undefined;
    case "range":
      return typeof value === "number" && value >= control.min && value <= control.max ? value : undefined;
    case "text":
    case "press":
      return text.slice(0, control.maxLength);
  }
}
