import type { ThemeName } from "../palette.js";
import type { Scene } from "./mark.js";

/** Settings of a figure that the reader chooses, by name. */
export type FigureChoices = Readonly<Record<string, string | number | boolean>>;

/** A step of a figure, animated from progress 0 to 1. */
export type Step = {
  /** Its name in a permalink, as "score-2". No two steps of a figure share one. */
  id: string;
  /** The part of the story that it belongs to, as "Scores": a mark on the scrubber. */
  chapter: string;
  /** A few words: "How well does “cat” match?" */
  title: string;
  /** One to three sentences: what happens and why. */
  text: string;
  /** Its source, a paper or a page: a link under the text. */
  source?: { text: string; url: string };
  /** Duration at speed 1. */
  milliseconds: number;
};

/** A moment of a figure. */
export type Moment = {
  /** Index of the step. */
  step: number;
  /** Part of the step that has been played, from 0 to 1. */
  progress: number;
  /** Address of the cell that the reader points at or has pressed. */
  focus?: string | undefined;
};

type Labelled<Key> = { key: Key; label: string };
type Option = { value: string | number | boolean; label: string; title?: string };

/** A control that sets a choice. */
export type Control<Choices extends FigureChoices = FigureChoices> = Labelled<keyof Choices & string> &
  (
    | { kind: "choice"; options: readonly Option[] } // buttons
    | { kind: "select"; options: readonly Option[] } // a drop-down list
    | { kind: "range"; min: number; max: number; step: number; unit?: string }
    | {
        kind: "text";
        maxLength: number;
        placeholder?: string;
        /** Buttons that fill in a text, and may set other choices too. */
        examples?: readonly { label: string; title?: string; choices: Partial<Choices> }[];
      }
    | {
        /** A choice that presses on cells change. It has no input, but is part of the permalink. */
        kind: "press";
        maxLength: number;
        /** Buttons, each of which presses a cell. Default: none is drawn. */
        buttons?: readonly { label: string; title?: string; cell: string }[];
      }
  );

/** A part of a formula, as a button that goes to its step. */
export type FormulaPart = {
  text: string;
  /** Id of the step that a press goes to. */
  step: string;
  /** Ids of steps, or chapters, during which it is lit. */
  activeSteps: readonly string[];
  color?: ThemeName;
};

/**
 * A figure: an explanation in steps, with a picture for each moment. It is pure: the same model, choices, moment and
 * width give the same marks. `player` is its state machine, `figureElement` its custom element, `figureSvg` draws one moment.
 *
 * @example
 * ```ts
 * import { figureSvg, type Figure } from "@qkv/viz/figures";
 *
 * const growing: Figure<{ value: number }, { color: string }> = {
 *   name: "growing",
 *   title: "A bar that grows",
 *   caption: "One bar.",
 *   initial: { color: "query" },
 *   steps: ({ value }) => [
 *     { id: "grow", chapter: "Grow", title: "It grows", text: `From 0 to ${value}.`, milliseconds: 1000 },
 *   ],
 *   scene: ({ value }, { color }, { progress }, width) => ({
 *     width,
 *     height: 40,
 *     description: `A bar of ${value}.`,
 *     marks: [
 *       {
 *         key: "bar", kind: "rect", x: 0, y: 10, width: progress * value, height: 20,
 *         fill: color === "key" ? "key" : "query", ariaLabel: `bar: ${value}`, cell: "bar:0:0",
 *       },
 *     ],
 *   }),
 *   controls: () => [
 *     {
 *       kind: "choice", key: "color", label: "Color",
 *       options: [{ value: "query", label: "blue" }, { value: "key", label: "orange" }],
 *     },
 *   ],
 *   table: ({ value }) => ({ columns: ["bar", "value"], rows: [["bar", value]] }),
 * };
 * figureSvg(growing, { value: 200 }, { width: 320 }).includes('width="200"'); // => true
 * ```
 */
export type Figure<Model, Choices extends FigureChoices> = {
  /** In kebab-case, as "attention-call": its element is `<qkv-attention-call>`. */
  name: string;
  title: string;
  /** One sentence under the picture. */
  caption: string;
  /** Initial choices. */
  initial: Choices;
  /** Choices that need a new model when they change. The others only change the scene. */
  modelInputs?: readonly (keyof Choices & string)[];
  /** One or more. */
  steps(model: Model, choices: Choices): readonly Step[];
  /** The picture of a moment, at a width from 320 to 1280. Below 640 it has a layout of its own. */
  scene(model: Model, choices: Choices, moment: Moment, width: number): Scene;
  controls(model: Model, choices: Choices): readonly Control<Choices>[];
  /** The numbers of a step. */
  table(model: Model, choices: Choices, step: number): FigureTable;
  /** The formula that the steps explain, part by part. */
  formula?(model: Model, choices: Choices): readonly FormulaPart[];
  /** Id of the initial step. Default: the last one, finished. */
  initialStep?: string;
  /** The effect of a press on a cell. Default: the cell keeps the focus until another press or Escape. */
  press?(model: Model, choices: Choices, cell: string): Press<Choices> | undefined;
};

/** Numbers of a figure, in rows. */
export type FigureTable = { columns: readonly string[]; rows: readonly (readonly (string | number)[])[] };

/** Effect of a press: choices that change, and the id of a step to go to. */
export type Press<Choices> = {
  choices?: Partial<Choices>;
  step?: string;
  /** Plays the step. Default: it is shown finished. */
  plays?: boolean;
};
