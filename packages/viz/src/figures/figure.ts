import type { ThemeName } from "../palette.js";
import type { Scene } from "./mark.js";

/** Settings of a figure that the reader chooses, by name. */
export type FigureChoices = Readonly<Record<string, string | number | boolean>>;

/** A stretch of a figure, played from 0 to 1. */
export type Step = {
  /** Its name in a permalink, as "score-2". No two steps of a figure share one. */
  id: string;
  /** The part of the story that it belongs to, as "Scores": a mark on the scrubber. */
  chapter: string;
  /** A few words: "How well does “cat” match?" */
  title: string;
  /** One to three sentences: what happens and why. */
  text: string;
  /** The paper or page that it rests on: a link under the text. */
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

/** Something that sets a choice. */
export type Control<Choices extends FigureChoices = FigureChoices> = Labelled<keyof Choices & string> &
  (
    | { kind: "choice"; options: readonly Option[] } // buttons
    | { kind: "select"; options: readonly Option[] } // a list that opens
    | { kind: "range"; min: number; max: number; step: number; unit?: string }
    | {
        kind: "text";
        maxLength: number;
        placeholder?: string;
        /** Buttons that set it, and what goes with it. */
        examples?: readonly { label: string; title?: string; choices: Partial<Choices> }[];
      }
    | {
        /** A text that presses on cells set: kept in an address. */
        kind: "press";
        maxLength: number;
        /** Buttons, each of which presses a cell. Default: none is drawn. */
        buttons?: readonly { label: string; title?: string; cell: string }[];
      }
  );

/** A part of a formula that is pressed to go to its step. */
export type FormulaPart = {
  text: string;
  /** Id of the step that a press goes to. */
  step: string;
  /** Ids of steps, or chapters, during which it is lit. */
  lights: readonly string[];
  color?: ThemeName;
};

/**
 * A figure: a story in steps, each moment of which is a picture. All of it is pure: the same model, choices, moment and
 * width give the same marks. `player` moves it, `figureElement` puts it on a page, `figureSvg` makes a still.
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
 *         fill: color === "key" ? "key" : "query", reads: `bar: ${value}`, cell: "bar:0:0",
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
  /** Choices that a reader meets. */
  initial: Choices;
  /** Choices whose change needs other numbers: the element asks for a new model. Others are settled in `scene`. */
  asks?: readonly (keyof Choices & string)[];
  /** One or more. */
  steps(model: Model, choices: Choices): readonly Step[];
  /** The picture of a moment, at a width from 320 to 1280. Below 640 it has a layout of its own. */
  scene(model: Model, choices: Choices, moment: Moment, width: number): Scene;
  controls(model: Model, choices: Choices): readonly Control<Choices>[];
  /** The numbers of a step. */
  table(model: Model, choices: Choices, step: number): FigureTable;
  /** The formula that the figure walks through, part by part. */
  formula?(model: Model, choices: Choices): readonly FormulaPart[];
  /** The step that a reader meets, by id. Default: the last one, finished. */
  opens?: string;
  /** Outcome of a press on a cell. Default: the cell keeps the focus until another press or Escape. */
  press?(model: Model, choices: Choices, cell: string): Press<Choices> | undefined;
};

/** Numbers of a figure, in rows. */
export type FigureTable = { columns: readonly string[]; rows: readonly (readonly (string | number)[])[] };

/** Outcome of a press: choices that change, and the id of a step to go to. */
export type Press<Choices> = {
  choices?: Partial<Choices>;
  step?: string;
  /** Plays the step. Default: it is shown finished. */
  plays?: boolean;
};
