import { easeCubicInOut as ease } from "d3-ease";
import type { ThemeName } from "../../palette.js";
import type { Moment, Step } from "../figure.js";
import { progressWithin } from "../progress-within.js";
import type { Arithmetic } from "./arithmetic.js";
import { explainCell } from "./explain.js";
import type { Stage } from "./layout.js";
import {
  elementAt,
  columns,
  followedKeys,
  isSeen,
  fitsNumbers,
  matrixByName,
  range,
  rows,
  type AttentionCallChoices,
  type AttentionCallModel,
  type MatrixName,
  type MatrixRegion,
} from "./model.js";

/** A cell of a matrix at a moment: its opacity and hatching, each from 0 to 1, and its number. */
export type Cell = { opacity: number; value: number; hatch: number };
/**
 * A copy of a number that is animated: it moves from its cell beside another number, then onto it, where both are
 * multiplied; the product falls into the cell `drop`.
 */
export type MovingNumber = {
  key: string;
  from: Required<MatrixRegion>;
  to: Required<MatrixRegion>;
  drop?: Required<MatrixRegion>;
  /** Progress from `from` to `to`, from 0 to 1. */
  moveProgress: number;
  /** Progress from `to` to `drop`, from 0 to 1. */
  dropProgress: number;
  /** Distance to the left of `to` at the end of the move. Unit: widths of a cell. */
  offset: number;
  value: number;
  color: ThemeName;
  opacity: number;
};

/** Everything that is drawn at a moment, without coordinates. */
export type Content = {
  from: Stage;
  to: Stage;
  /** Progress from one stage to the next, from 0 to 1. */
  morph: number;
  /** Progress of the transposition of a row of K, from 0 to 1. */
  transposed: (row: number) => number;
  cell: (name: MatrixName, row: number, column: number) => Cell;
  /** Progress of the scaling by 1/√D, from 0 to 1. */
  scaled: number;
  lit: readonly MatrixRegion[];
  movingNumbers: readonly MovingNumber[];
  arithmetic: Arithmetic;
};

const between = (a: number, b: number, t: number) => a + (b - a) * t;

const chapterStages: Readonly<Record<string, Stage>> = {
  Input: "project",
  "Q, K, V": "project",
  Scores: "scores",
  Scale: "scores",
  Mask: "scores",
  Softmax: "weights",
  Mixture: "mix",
  Output: "mix",
};
const colors: Readonly<Record<string, ThemeName>> = { q: "query", k: "key", v: "value" };

/** The content of a moment of the figure. */
export function content(
  model: AttentionCallModel,
  choices: AttentionCallChoices,
  steps: readonly Step[],
  { step: index, progress, focus }: Moment,
): Content {
  const [T, C, D] = [rows(model.query), columns(model.x), columns(model.query)];
  const i = Math.min(choices.token, T - 1);
  const { id, chapter } = steps[index]!;
  const stepIndex = new Map(steps.map((step, n) => [step.id, n]));
  const keys = followedKeys(model, i);
  const small = fitsNumbers(model);

  const to = chapterStages[chapter]!;
  const from = chapterStages[steps[Math.max(0, index - 1)]!.chapter]!;
  const moving = from !== to;
  const transposing = id === "arrange";
  const morph = moving ? ease(progressWithin(progress, 0, transposing ? 0.9 : 0.3)) : 1;
  const stepProgress = moving && !transposing ? progressWithin(progress, 0.3, 1) : progress; // after the matrices have moved
  /** Progress of a step by its id: 0 before it, 1 after it. */
  const done = (name: string): number => {
    const n = stepIndex.get(name);
    if (n === undefined || index < n) return 0;
    return index > n ? 1 : stepProgress;
  };

  const scaled = ease(done("scale"));
  const masked = done("mask");
  const normalized = ease(done("normalize"));
  /** Part of weight · value of key j that has been added to the output. */
  const share = (j: number) => {
    const mixProgress = keys.includes(j) ? done(`mix-${j}`) : done("mix-rest");
    return isSeen(model, i, j) ? progressWithin(mixProgress, 0.5, 0.95) : 0;
  };
  const shares = range(T).map(share);
  const hasOutput = Math.max(...shares) > 0;
  const landingProgress = (d: number) => 0.62 + (0.26 * d) / D; // progress at which product d reaches its score

  function cell(name: MatrixName, row: number, column: number): Cell {
    const value = elementAt(matrixByName(model, name)!, row, column);
    const shown = (opacity: number, hatch = 0, other = value): Cell => ({ opacity, hatch, value: other });
    switch (name) {
      case "x":
        return shown(index === 0 ? ease(progressWithin(progress, row * 0.06, row * 0.06 + 0.4)) : 1);
      case "wq":
      case "wk":
      case "wv":
        return shown(progressWithin(done(`project-${name[1]}`), 0, 0.1));
      case "q":
      case "k":
      case "v": {
        const projected = done(`project-${name}`);
        if (row !== i) return shown(progressWithin(projected, 0.82, 0.95));
        const start = small ? 0.2 + (0.6 * column) / D : 0.25 + (0.4 * column) / D;
        return shown(progressWithin(projected, start, start + 0.1));
      }
      case "s": {
        const hatch = isSeen(model, row, column)
          ? 0
          : progressWithin(masked, (row + column) * (0.3 / T), (row + column) * (0.3 / T) + 0.4);
        const after = between(value, elementAt(model.scores, row, column), scaled);
        if (row !== i)
          return shown(progressWithin(done("scores-all"), row / (2 * T), row / (2 * T) + 0.4), hatch, after);
        if (!keys.includes(column))
          return shown(
            progressWithin(done("scores-row"), column / (2 * T), column / (2 * T) + 0.3),
            hatch,
            after,
          );
        const scoreProgress = done(`score-${column}`);
        const landed = range(D).filter((d) => scoreProgress >= landingProgress(d));
        const sum = landed.reduce(
          (all, d) => all + elementAt(model.query, row, d) * elementAt(model.key, column, d),
          0,
        );
        return shown(landed.length > 0 ? 1 : 0, hatch, scoreProgress < 1 ? sum : after);
      }
      case "a": {
        const opacity =
          row === i
            ? progressWithin(normalized, 0.5, 1)
            : progressWithin(done("weights-all"), row / (2 * T), row / (2 * T) + 0.4);
        return shown(opacity, isSeen(model, row, column) ? 0 : 1);
      }
      case "o": {
        if (row !== i) return shown(progressWithin(done("output-all"), row / (2 * T), row / (2 * T) + 0.4));
        const sum = range(T).reduce(
          (all, j) => all + elementAt(model.weights, i, j) * elementAt(model.value, j, column) * shares[j]!,
          0,
        );
        const whole = shares.every((each, j) => each === 1 || !isSeen(model, i, j));
        return shown(hasOutput ? 1 : 0, 0, whole ? value : sum);
      }
    }
  }

  const transposed = (row: number) =>
    transposing ? ease(progressWithin(progress, 0.12 + row * (0.4 / T), 0.5 + row * (0.4 / T))) : 1;
  const base = { from, to, morph, transposed, cell, scaled };
  if (focus !== undefined) {
    const seen = explainCell(model, focus, { masked: masked > 0.5, scaled: scaled > 0.5 });
    if (seen) return { ...base, ...seen, movingNumbers: [] };
  }
  return { ...base, ...stepContent() };

  /** Lit regions, moving numbers and arithmetic of a step. */
  function stepContent(): Pick<Content, "lit" | "movingNumbers" | "arithmetic"> {
    const row = (name: MatrixName): MatrixRegion => ({ name, row: i });
    const still = { movingNumbers: [] };
    const table = (scale: number, mask: number, exp: number, share: number): Arithmetic => ({
      kind: "softmax",
      row: i,
      scale,
      mask,
      exp,
      share,
    });
    if (id === "embed") return { ...still, lit: [row("x")], arithmetic: { kind: "input", row: i } };
    if (id.startsWith("project-")) return project(id.at(-1) as "q" | "k" | "v");
    if (transposing) return { ...still, lit: [], arithmetic: { kind: "transpose" } };
    if (id.startsWith("score-")) return score(Number(id.slice(6)));
    if (id.startsWith("mix-") && id !== "mix-rest") return mixture(Number(id.slice(4)));
    const mixed: Arithmetic = { kind: "mixture", row: i, shares };
    switch (id) {
      case "scores-row":
      case "scores-all":
        return { ...still, lit: [row("s")], arithmetic: table(0, 0, 0, 0) };
      case "scale":
        return { ...still, lit: [row("s")], arithmetic: table(scaled, 0, 0, 0) };
      case "mask":
        return { ...still, lit: [row("s")], arithmetic: table(1, masked, 0, 0) };
      case "exp":
        return { ...still, lit: [row("s")], arithmetic: table(1, 1, ease(stepProgress), 0) };
      case "normalize":
        return { ...still, lit: [row("s"), row("a")], arithmetic: table(1, 1, 1, normalized) };
      case "weights-all":
        return { ...still, lit: [row("a")], arithmetic: table(1, 1, 1, 1) };
      case "mix-rest":
        return { ...still, lit: [row("a"), { name: "v" }, row("o")], arithmetic: mixed };
      case "output-all":
        return { ...still, lit: [row("a"), row("o")], arithmetic: mixed };
    }
    return { ...still, lit: [], arithmetic: mixed };
  }

  function project(name: "q" | "k" | "v"): Pick<Content, "lit" | "movingNumbers" | "arithmetic"> {
    const w = `w${name}` as const;
    const color = colors[name]!;
    if (!matrixByName(model, w)) {
      // Too many to follow one by one: the row flows into its result.
      const moveProgress = ease(progressWithin(stepProgress, 0.02, 0.4));
      const movingNumbers = range(stepProgress < 0.7 ? D : 0).map((d): MovingNumber => ({
        key: `t:${d}`,
        from: { name: "x", row: i, column: Math.floor((d * C) / D) },
        to: { name, row: i, column: d },
        moveProgress,
        dropProgress: 0,
        offset: 0,
        value: elementAt(matrixByName(model, name)!, i, d),
        color,
        opacity: 1 - progressWithin(stepProgress, 0.5, 0.7),
      }));
      return {
        lit: [wholeRow("x"), wholeRow(name)],
        movingNumbers,
        arithmetic: { kind: "projection", name, row: i },
      };
    }
    const sweep = progressWithin(stepProgress, 0.16, 0.76) * D;
    const column = Math.min(D - 1, Math.floor(sweep));
    const within = sweep - column;
    const columnPosition = Math.min(D - 1, column + ease(progressWithin(within, 0.7, 1)));
    const moveProgress = ease(progressWithin(stepProgress, 0, 0.16));
    const movingNumbers = range(stepProgress < 0.82 ? C : 0).map((c): MovingNumber => ({
      key: `t:${c}`,
      from: { name: "x", row: i, column: c },
      to: { name: w, row: c, column: columnPosition },
      moveProgress,
      dropProgress: 0,
      offset: moveProgress,
      value: elementAt(model.x, i, c),
      color: "cost",
      opacity: 1 - progressWithin(stepProgress, 0.76, 0.82),
    }));
    const terms = stepProgress >= 0.76 ? C : Math.ceil(progressWithin(within, 0, 0.6) * C);
    return {
      lit: [wholeRow("x"), { name: w, column }, { name, row: i, column }],
      movingNumbers,
      arithmetic: { kind: "dot", result: { name, row: i, column }, terms, landed: terms },
    };
    function wholeRow(name: MatrixName): MatrixRegion {
      return { name, row: i };
    }
  }

  function score(j: number): Pick<Content, "lit" | "movingNumbers" | "arithmetic"> {
    const moveProgress = ease(progressWithin(progress, 0, 0.26));
    const movingNumbers = range(D)
      .filter((d) => progress < landingProgress(d))
      .map((d): MovingNumber => {
        const onto = ease(progressWithin(progress, 0.3 + (0.1 * d) / D, 0.4 + (0.1 * d) / D));
        const product = onto > 0.9;
        const [a, b] = [elementAt(model.query, i, d), elementAt(model.key, j, d)];
        return {
          key: `t:${d}`,
          from: { name: "q", row: i, column: d },
          to: { name: "k", row: j, column: d },
          drop: { name: "s", row: i, column: j },
          moveProgress,
          dropProgress: ease(progressWithin(progress, landingProgress(d) - 0.14, landingProgress(d))),
          offset: moveProgress * (1 - onto),
          value: product ? a * b : a,
          color: product ? "weight" : "query",
          opacity: 1,
        };
      });
    return {
      lit: [
        { name: "q", row: i },
        { name: "k", row: j },
        { name: "s", row: i, column: j },
      ],
      movingNumbers: progress < 1 ? movingNumbers : [],
      arithmetic: {
        kind: "dot",
        result: { name: "s", row: i, column: j },
        terms: range(D).filter((d) => progress >= 0.38 + (0.1 * d) / D).length,
        landed: range(D).filter((d) => progress >= landingProgress(d)).length,
      },
    };
  }

  function mixture(j: number): Pick<Content, "lit" | "movingNumbers" | "arithmetic"> {
    const weight = elementAt(model.weights, i, j);
    const moveProgress = ease(progressWithin(stepProgress, 0.05, 0.55));
    const movingNumbers = range(stepProgress < 0.95 ? D : 0).map((d): MovingNumber => {
      const value = elementAt(model.value, j, d);
      return {
        key: `t:${d}`,
        from: { name: "v", row: j, column: d },
        to: { name: "o", row: i, column: d },
        moveProgress,
        dropProgress: 0,
        offset: 0,
        value: between(value, value * weight, moveProgress),
        color: "value",
        // The opacity of a value becomes its weight.
        opacity:
          between(1, 0.25 + 0.75 * weight, moveProgress) * (1 - progressWithin(stepProgress, 0.6, 0.95)),
      };
    });
    return {
      lit: [
        { name: "a", row: i, column: j },
        { name: "v", row: j },
        { name: "o", row: i },
      ],
      movingNumbers,
      arithmetic: { kind: "mixture", row: i, shares, current: j },
    };
  }
}
