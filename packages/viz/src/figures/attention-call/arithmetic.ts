import { labelWidth } from "../../picture.js";
import type { ThemeName } from "../../palette.js";
import type { Mark } from "../mark.js";
import { compactBelow, namesWidth } from "./layout.js";
import {
  elementAt,
  columns,
  fractionDigits,
  equalitySign,
  isSeen,
  fitsNumbers,
  matrixByName,
  quoted,
  range,
  rows,
  tokenLabel,
  type AttentionCallModel,
  type MatrixName,
} from "./model.js";
import { letterColor, numberCell, stripMarks, weightShade } from "./cells.js";
import { fixed } from "../fixed.js";

type ResultCell = { name: MatrixName; row: number; column: number };

/** The arithmetic that is written under the matrices, of a step or of one number. */
export type Arithmetic =
  | { kind: "input"; row: number }
  | { kind: "transpose" }
  | { kind: "projection"; name: "q" | "k" | "v"; row: number }
  /** A dot product: the first `terms` products are computed, the first `landed` of them added. */
  | { kind: "dot"; result: ResultCell; terms: number; landed: number; scaled?: boolean; masked?: boolean }
  /** The softmax of a row as a table. `scale`, `mask`, `exp`, `share`: opacity of each column, from 0 to 1. */
  | {
      kind: "softmax";
      row: number;
      scale: number;
      mask: number;
      exp: number;
      share: number;
      current?: number;
    }
  /** The weighted sum of values. `shares`: the fraction of each value that has been added, from 0 to 1. */
  | { kind: "mixture"; row: number; shares: readonly number[]; current?: number };

const line = 21; // pixels
const maxRows = 7; // of a table

/** Marks of the arithmetic. `top`: its upper edge. */
export function arithmeticMarks(
  model: AttentionCallModel,
  arithmetic: Arithmetic,
  width: number,
  top: number,
): Mark[] {
  const compact = width < compactBelow;
  const [left, y] = compact ? [0, top + 34] : [Math.min(250, width * 0.22), top + 8];
  const title = (text: string, small = ""): Mark[] => {
    const named = lines("bench:title", 0, top + 14, text, (compact ? width : left - 20) / 1.3, {
      size: 15,
      weight: 600,
      fill: "text",
    });
    const under =
      small && !compact ? lines("bench:under", 0, top + 16 + 18 * named.length, small, left - 24) : [];
    return [...named, ...under];
  };
  const room = width - left;
  switch (arithmetic.kind) {
    case "input":
      return [
        ...title(`x of ${quoted(model.tokens[arithmetic.row]!)}`),
        ...lines("bench:note", left, y + 10, inputNote(model), room),
      ];
    case "transpose":
      return [
        ...title("Q Kᵀ"),
        ...lines(
          "bench:note",
          left,
          y + 10,
          "Queries keep their rows, keys become columns. Where a row crosses a column, a score will appear.",
          room,
        ),
      ];
    case "projection":
      return projection(model, arithmetic, title, left, y, room);
    case "dot":
      return dot(model, arithmetic, title, left, y, room, compact);
    case "softmax":
      return softmax(model, arithmetic, title, left, y, room, compact);
    case "mixture":
      return mixture(model, arithmetic, title, left, y, room, compact);
  }
}

type Title = (text: string, small?: string) => Mark[];

function inputNote({ features, head, x }: AttentionCallModel): string {
  return features
    ? "The columns are named so that you can follow. In a trained model they have no names."
    : `The ${columns(x)} numbers that enter ${head ?? "the layer"}, after its norm. Colored numbers are positive, gray ones negative. Single numbers have no meaning of their own.`;
}

function projection(
  model: AttentionCallModel,
  { name, row }: Extract<Arithmetic, { kind: "projection" }>,
  title: Title,
  left: number,
  y: number,
  room: number,
): Mark[] {
  const word = { q: "query", k: "key", v: "value" }[name];
  const frame = matrixByName(model, name)!;
  const [C, D] = [columns(model.x), columns(frame)];
  const width = Math.min(14, (room - 10) / D);
  const boxes = (column: number) => ({ x: left + column * width, y: y + 40, width, height: 34, opacity: 1 });
  return [
    ...title(`${word} of ${quoted(model.tokens[row]!)}`),
    ...lines(
      "bench:note",
      left,
      y + 10,
      `${C} numbers times a matrix of ${C} × ${D} give these ${D}${name === "v" ? "" : ", rotated by the position of the token"}:`,
      room,
    ),
    ...stripMarks("bench:strip", frame, row, boxes, { q: "query", k: "key", v: "value" }[name] as ThemeName, {
      scale: 0.7 * largestMagnitude(Array.from(frame.data)),
    }),
  ];
}

function dot(
  model: AttentionCallModel,
  arithmetic: Extract<Arithmetic, { kind: "dot" }>,
  title: Title,
  left: number,
  y: number,
  room: number,
  compact: boolean,
): Mark[] {
  const { result, scaled, masked } = arithmetic;
  const { a, b, names, colors, what, parts } = factors(model, result);
  const indices = range(a.length);
  // A long product is written as its largest terms and the sum of the others.
  const long = a.length > 8;
  const shownTerms = long
    ? [...indices]
        .sort((m, n) => Math.abs(a[n]! * b[n]!) - Math.abs(a[m]! * b[m]!))
        .slice(0, compact ? 4 : 6)
        .sort((m, n) => m - n)
    : indices;
  const rest = indices.filter((n) => !shownTerms.includes(n)).reduce((sum, n) => sum + a[n]! * b[n]!, 0);
  const count = shownTerms.length + (long ? 1 : 0);
  const step = Math.min(72, (room - (compact ? 0 : 120)) / count);
  const cell = Math.min(48, step - 14);
  const height = compact ? 22 : 26;
  const marks = title(what, parts);
  const total = a.reduce((sum, value, n) => sum + value * b[n]!, 0);
  const [aDigits, bDigits] = [result.name === "o" ? 2 : digitsIn(a), digitsIn(b)];
  const sumTop = y + 2 * height + 34;
  const size = cell < 34 ? 11 : 12;
  // Of a long product, shown terms appear in proportion to the computed ones.
  const visible = long
    ? Math.floor((Math.min(arithmetic.terms, a.length) * shownTerms.length) / a.length)
    : arithmetic.terms;
  shownTerms.forEach((n, z) => {
    const x = left + z * step + 12;
    const lit = z < visible ? 1 : 0.35;
    const name = names?.[n] ?? (long ? `${n}` : undefined);
    if (name)
      marks.push(
        letters(`bench:name:${z}`, x + cell / 2, y + 6, name, { anchor: "middle", fill: "quiet", size }),
      );
    marks.push(
      numberCell(`bench:a:${z}`, { x, y: y + 12, width: cell, height, opacity: lit }, a[n]!, colors[0], {
        digits: aDigits,
        size,
        scale: largestMagnitude(a),
        weight: result.name === "o",
      }),
      numberCell(
        `bench:b:${z}`,
        { x, y: y + 14 + height, width: cell, height, opacity: lit },
        b[n]!,
        colors[1],
        { digits: bDigits, size, scale: largestMagnitude(b) },
      ),
      letters(`bench:times:${z}`, x - 3, y + 14 + 1.5 * height + 4, "×", {
        anchor: "end",
        fill: "quiet",
        opacity: lit,
      }),
    );
    if (z < visible) {
      marks.push(
        letters(`bench:product:${z}`, x + cell / 2, sumTop, fixed(a[n]! * b[n]!), { anchor: "middle", size }),
      );
      if (z > 0)
        marks.push(
          letters(`bench:plus:${z}`, x - (step - cell) / 2, sumTop, "+", { anchor: "middle", fill: "quiet" }),
        );
    }
  });
  const end = left + count * step + 4;
  if (long && visible === shownTerms.length) {
    const x = left + (count - 1) * step + 12;
    marks.push(
      letters("bench:rest:name", x + cell / 2, y + 12 + height, `${a.length - shownTerms.length} others`, {
        anchor: "middle",
        fill: "quiet",
        size: 11,
      }),
      letters("bench:rest", x + cell / 2, sumTop, fixed(rest), { anchor: "middle", size }),
      letters("bench:rest:plus", x - (step - cell) / 2, sumTop, "+", { anchor: "middle", fill: "quiet" }),
    );
  }
  if (arithmetic.landed > 0) {
    const partial = a.slice(0, arithmetic.landed).reduce((sum, value, n) => sum + value * b[n]!, 0);
    const terms = [...shownTerms.map((n) => a[n]! * b[n]!), ...(long ? [rest] : [])];
    const sign = arithmetic.landed < a.length ? "=" : equalitySign(terms, total, 2);
    const [x, base] = compact ? [left, sumTop + 30] : [end, sumTop + 2];
    const color =
      (
        { q: "query-text", k: "key-text", v: "value-text", o: "value-text" } as Partial<
          Record<MatrixName, ThemeName>
        >
      )[result.name] ?? "text";
    marks.push(
      letters("bench:equals", x, base, sign, { size: 20, fill: "quiet" }),
      letters("bench:sum", x + 20, base, fixed(partial), { size: 22, weight: 600, fill: color }),
    );
    const after = scaled ? `${fixed(total)} ÷ ${fixed(1 / model.scale)} = ${fixed(total * model.scale)}` : "";
    const note = masked
      ? `${after ? `${after}, but ` : ""}${quoted(model.tokens[result.column]!)} is masked: the score becomes −∞ and the weight 0.`
      : after;
    if (note)
      marks.push(
        ...lines("bench:after", left + (compact ? 0 : 12), sumTop + (compact ? 56 : 34), note, room),
      );
  }
  return marks;
}

/** The two vectors of a dot product, with their names and colors. */
function factors(model: AttentionCallModel, { name, row, column }: ResultCell) {
  const t = quoted(model.tokens[row]!);
  const matrixRow = (frame: MatrixName) =>
    range(columns(matrixByName(model, frame)!)).map((c) => elementAt(matrixByName(model, frame)!, row, c));
  const matrixColumn = (frame: MatrixName) =>
    range(rows(matrixByName(model, frame)!)).map((r) => elementAt(matrixByName(model, frame)!, r, column));
  const channel = model.channels?.[column] ?? `column ${column}`;
  if (name === "s") {
    const key = range(columns(model.key)).map((c) => elementAt(model.key, column, c));
    return {
      a: matrixRow("q"),
      b: key,
      names: model.channels,
      colors: ["query", "key"] as const,
      what: `score of ${t} for ${quoted(model.tokens[column]!)}`,
      parts: `query of ${t} · key of ${quoted(model.tokens[column]!)}`,
    };
  }
  if (name === "o") {
    return {
      a: matrixRow("a"),
      b: matrixColumn("v"),
      names: model.tokens.map(tokenLabel),
      colors: ["weight", "value"] as const,
      what: `output of ${t}, ${channel}`,
      parts: `weights of ${t} · column ${channel} of V`,
    };
  }
  const projection = `w${name}` as MatrixName;
  const word = { q: "query", k: "key", v: "value" }[name as "q" | "k" | "v"];
  return {
    a: matrixRow("x"),
    b: matrixColumn(projection),
    names: model.features,
    colors: ["cost", word as ThemeName] as const,
    what: `${word} of ${t}, ${channel}`,
    parts: `row of x · column of W${name}`,
  };
}

const largestMagnitude = (values: readonly number[]) => Math.max(1e-9, ...values.map(Math.abs));
const digitsIn = (data: readonly number[]) => fractionDigits({ data, shape: [1, data.length] });

function softmax(
  model: AttentionCallModel,
  arithmetic: Extract<Arithmetic, { kind: "softmax" }>,
  title: Title,
  left: number,
  y: number,
  room: number,
  compact: boolean,
): Mark[] {
  const { row, scale, mask, exp, share, current } = arithmetic;
  const T = rows(model.key);
  const { listed, others } = listedKeys(model, row, current);
  const score = (j: number) => elementAt(model.scores, row, j);
  const raw = (j: number) => elementAt(model.dots, row, j);
  const seen = range(T).filter((j) => isSeen(model, row, j));
  const top = Math.max(...seen.map(score));
  const raised = (j: number) => (isSeen(model, row, j) ? Math.exp(score(j) - top) : 0);
  const total = seen.reduce((sum, j) => sum + raised(j), 0);
  const weight = (j: number) => elementAt(model.weights, row, j);
  const marks = title(
    `scores of ${quoted(model.tokens[row]!)} become weights`,
    "one row of the matrix, token by token",
  );

  const name = compact ? Math.min(60, namesWidth(model)) : 76;
  const gap = compact ? 44 : 66;
  const dotX = left + name + (compact ? 34 : 40);
  const [scaledX, expX] = [dotX + gap, dotX + 2 * gap + (compact ? -6 : 34)];
  const end = left + room;
  const barX = expX + 14;
  const track = Math.max(40, end - barX - (compact ? 40 : 48));
  const divisor = 1 / model.scale;
  const head = (key: string, x: number, text: string, opacity: number, anchor: "start" | "end" = "end") =>
    opacity > 0.01 ? [letters(`bench:head:${key}`, x, y + 4, text, { anchor, fill: "quiet", opacity })] : [];
  marks.push(
    ...head("1", dotX, "q · k", 1),
    ...head("2", scaledX, `÷ ${fixed(divisor, Number.isInteger(Number(divisor.toFixed(6))) ? 0 : 2)}`, scale),
    ...head("3", expX, compact ? "exp" : "exp(s − max)", exp),
    ...head(
      "4",
      barX,
      share > 0.5 ? (compact ? "share of 1" : "share of the total: together they fill 1") : "",
      1,
      "start",
    ),
    ...head("5", end, "weight", share),
  );
  let run = 0;
  const before = range(T).map((j) => {
    const start = run;
    run += weight(j);
    return start;
  });
  listed.forEach((j, z) => {
    const base = y + 12 + z * line + 15;
    const on = isSeen(model, row, j);
    const fade = on ? 1 : 1 - 0.45 * mask;
    const strong = current === j ? 600 : 400;
    marks.push(
      letters(`bench:key:${j}`, left, base, brief(model.tokens[j]!, compact), {
        size: compact ? 12 : 13,
        weight: strong,
        fill: on || mask < 0.5 ? "text" : "quiet",
      }),
      letters(`bench:raw:${j}`, dotX, base, fixed(raw(j)), { anchor: "end", opacity: fade }),
    );
    if (scale > 0.01)
      marks.push(
        letters(`bench:scaled:${j}`, scaledX, base, fixed(score(j)), {
          anchor: "end",
          opacity: scale * fade,
        }),
      );
    const box = { x: barX, y: base - 12, width: track, height: line - 6 };
    if (!on && mask > 0.02)
      marks.push({
        key: `bench:hidden:${j}`,
        kind: "rect",
        ...box,
        radius: 2,
        hatch: mask,
        stroke: "rule",
        opacity: mask,
      });
    if (exp > 0.01)
      marks.push(
        letters(`bench:exp:${j}`, expX, base, fixed(raised(j)), { anchor: "end", opacity: exp * fade }),
      );
    if (on && exp > 0) {
      const size = raised(j) * exp * (1 - share) + weight(j) * share;
      marks.push(
        { key: `bench:track:${j}`, kind: "rect", ...box, radius: 2, stroke: "rule", opacity: exp },
        {
          key: `bench:bar:${j}`,
          kind: "rect",
          ...box,
          x: barX + before[j]! * track * share,
          width: Math.max(0.6, size * track),
          radius: 2,
          fill: "weight",
          fillOpacity: current !== undefined && current !== j ? 0.35 : 1,
          layer: 1,
          ariaLabel: `weight of ${quoted(model.tokens[row]!)} for ${quoted(model.tokens[j]!)}: ${fixed(weight(j))}`,
        },
      );
    }
    if (share > 0.01)
      marks.push(
        letters(`bench:weight:${j}`, end, base, fixed(weight(j)), {
          anchor: "end",
          weight: 600,
          opacity: share * fade,
        }),
      );
  });
  let z = listed.length;
  if (others.length > 0) {
    const base = y + 12 + z++ * line + 15;
    const sum = (value: (j: number) => number) => others.reduce((all, j) => all + value(j), 0);
    marks.push(
      letters(
        "bench:others",
        left,
        base,
        `${others.length} ${others.some((j) => isSeen(model, row, j)) ? "others" : "masked"}`,
        { fill: "quiet" },
      ),
    );
    if (exp > 0.01)
      marks.push(
        letters("bench:others:exp", expX, base, fixed(sum(raised)), { anchor: "end", opacity: exp }),
      );
    if (share > 0.01)
      marks.push(
        letters("bench:others:weight", end, base, fixed(sum(weight)), {
          anchor: "end",
          weight: 600,
          opacity: share,
        }),
      );
  }
  if (exp > 0.01) {
    const base = y + 16 + z * line + 15;
    const terms = [
      ...listed.map(raised),
      ...(others.length > 0 ? [others.reduce((all, j) => all + raised(j), 0)] : []),
    ];
    const shares = [
      ...listed.map(weight),
      ...(others.length > 0 ? [others.reduce((all, j) => all + weight(j), 0)] : []),
    ];
    const sign = (exact: "=" | "≈") => (exact === "=" ? "" : "≈ ");
    marks.push(
      {
        key: "bench:rule",
        kind: "path",
        x: 0,
        y: 0,
        d: `M${left} ${base - 15}H${end}`,
        stroke: "rule",
        opacity: exp,
      },
      letters("bench:total", left, base, "total", { size: 13, opacity: exp }),
      letters("bench:total:exp", expX, base, sign(equalitySign(terms, total, 2)) + fixed(total), {
        anchor: "end",
        weight: 600,
        opacity: exp,
      }),
    );
    if (share > 0.01) {
      range(T)
        .filter((j) => weight(j) * track > 0.5)
        .forEach((j) =>
          marks.push({
            key: `bench:all:${j}`,
            kind: "rect",
            x: barX + before[j]! * track * share,
            y: base - 12,
            width: Math.max(0.5, weight(j) * track * share - 1.5),
            height: line - 6,
            radius: 2,
            fill: "weight",
            fillOpacity: current !== undefined && current !== j ? 0.35 : 1,
            opacity: share,
          }),
        );
      marks.push(
        letters("bench:total:weight", end, base, sign(equalitySign(shares, 1, 2)) + "1.00", {
          anchor: "end",
          weight: 600,
          opacity: share,
        }),
      );
    }
  }
  return marks;
}

/** Keys with a row of their own, at most `maxRows`: those with the largest weights. `others` share one row. */
function listedKeys(
  model: AttentionCallModel,
  row: number,
  current?: number,
): { listed: number[]; others: number[] } {
  const keys = range(rows(model.key));
  if (keys.length <= maxRows) return { listed: keys, others: [] };
  const order = [...keys].sort(
    (a, b) =>
      Number(b === current) - Number(a === current) ||
      elementAt(model.weights, row, b) - elementAt(model.weights, row, a),
  );
  const listed = order.slice(0, maxRows - 1).sort((a, b) => a - b);
  return { listed, others: keys.filter((j) => !listed.includes(j)) };
}

function mixture(
  model: AttentionCallModel,
  arithmetic: Extract<Arithmetic, { kind: "mixture" }>,
  title: Title,
  left: number,
  y: number,
  room: number,
  compact: boolean,
): Mark[] {
  const { row, shares, current } = arithmetic;
  const D = columns(model.value);
  const small = fitsNumbers(model);
  const { listed, others } = listedKeys(model, row, current);
  const name = compact ? Math.min(62, namesWidth(model)) : 76;
  const weightWidth = compact ? 36 : 48;
  const weightX = left + name;
  const half = (room - name - weightWidth - 2 * 22) / 2;
  const cell = small ? Math.min(52, half / D) : Math.min(7, half / D);
  const valueX = weightX + weightWidth + 22;
  const px = valueX + cell * D + 22;
  const size = cell < 34 ? 11 : 12;
  const short = cell < 38;
  const vDigits = fractionDigits(model.value);
  const scale = largestMagnitude(Array.from(model.value.data));
  const marks = title(`output of ${quoted(model.tokens[row]!)}`, "each value times its weight, added up");
  marks.push(
    letters("bench:head:w", weightX + weightWidth / 2, y + 4, "weight", { anchor: "middle", fill: "quiet" }),
    letters("bench:head:v", valueX, y + 4, "value", { fill: "value-text" }),
    letters("bench:head:p", px, y + 4, "weight × value", { fill: "value-text" }),
  );
  const valueMarks = (
    key: string,
    x: number,
    top: number,
    value: (d: number) => number,
    opacity: number,
    digits: number,
    max = scale,
  ) => {
    const box = (d: number) => ({ x: x + d * cell, y: top, width: cell, height: line, opacity });
    return small
      ? range(D).map((d) =>
          numberCell(`${key}:${d}`, box(d), value(d), "value", { digits, size, scale: max, short }),
        )
      : stripMarks(key, { data: range(D).map(value), shape: [1, D] }, 0, box, "value", { scale: max });
  };
  listed.forEach((j, z) => {
    const top = y + 12 + z * line;
    const on = isSeen(model, row, j);
    const w = elementAt(model.weights, row, j);
    const added = Math.min(1, 2 * shares[j]!);
    marks.push(
      letters(`bench:key:${j}`, left, top + 15, brief(model.tokens[j]!, compact), {
        size: compact ? 12 : 13,
        weight: current === j ? 600 : 400,
        fill: on ? "text" : "quiet",
      }),
      {
        key: `bench:w:${j}`,
        kind: "rect",
        x: weightX,
        y: top + 1,
        width: weightWidth,
        height: line - 2,
        radius: 3,
        stroke: "rule",
        ...(on
          ? {
              fill: "weight",
              fillOpacity: weightShade(w),
              text: fixed(w),
              textFill: letterColor(weightShade(w)),
              ariaLabel: `weight of ${quoted(model.tokens[row]!)} for ${quoted(model.tokens[j]!)}: ${fixed(w)}`,
            }
          : { hatch: 1 }),
      },
    );
    if (!on) return;
    marks.push(
      letters(`bench:times:${j}`, valueX - 8, top + 15, "×", { anchor: "end", fill: "quiet" }),
      ...valueMarks(`bench:v:${j}`, valueX, top, (d) => elementAt(model.value, j, d), 1, vDigits),
    );
    if (added > 0.01) {
      marks.push(
        letters(`bench:equals:${j}`, px - 8, top + 15, "=", { anchor: "end", fill: "quiet", opacity: added }),
        // A strip is scaled by its own largest number, so its opacity shows the weight.
        ...(small
          ? valueMarks(`bench:p:${j}`, px, top, (d) => w * elementAt(model.value, j, d), added, 2)
          : valueMarks(
              `bench:p:${j}`,
              px,
              top,
              (d) => elementAt(model.value, j, d),
              added * Math.sqrt(w),
              2,
            )),
      );
    }
  });
  let z = listed.length;
  const weight = (j: number) => elementAt(model.weights, row, j);
  if (others.length > 0) {
    const top = y + 12 + z++ * line;
    const share = Math.min(1, 2 * Math.max(...others.map((j) => shares[j]!)));
    const rest = others.reduce((sum, j) => sum + weight(j), 0);
    marks.push(
      letters(
        "bench:others",
        left,
        top + 15,
        `${others.length} ${others.some((j) => isSeen(model, row, j)) ? "others" : "masked"}`,
        { fill: "quiet" },
      ),
      letters("bench:others:w", weightX + weightWidth - 6, top + 15, fixed(rest), {
        anchor: "end",
        fill: "quiet",
      }),
    );
    if (share > 0.01)
      marks.push(
        ...valueMarks(
          "bench:p:rest",
          px,
          top,
          (d) => others.reduce((sum, j) => sum + weight(j) * elementAt(model.value, j, d), 0),
          share,
          2,
        ),
      );
  }
  const top = y + 18 + z * line;
  const sum = (d: number) =>
    range(rows(model.value)).reduce(
      (all, j) => all + weight(j) * elementAt(model.value, j, d) * shares[j]!,
      0,
    );
  const whole = shares.every((each, j) => each === 1 || !isSeen(model, row, j));
  const rounded = (d: number) => [
    ...listed.filter((j) => isSeen(model, row, j)).map((j) => weight(j) * elementAt(model.value, j, d)),
    ...(others.length > 0
      ? [others.reduce((all, j) => all + weight(j) * elementAt(model.value, j, d), 0)]
      : []),
  ];
  const exact = !small || !whole || range(D).every((d) => equalitySign(rounded(d), sum(d), 2) === "=");
  marks.push(
    { key: "bench:rule", kind: "path", x: 0, y: 0, d: `M${px} ${top - 3}H${px + cell * D}`, stroke: "rule" },
    letters("bench:sum", px - 8, top + 15, `sum ${exact ? "=" : "≈"}${compact ? "" : " output"}`, {
      anchor: "end",
      size: 13,
      weight: 600,
    }),
    ...valueMarks("bench:o", px, top, sum, 1, 2, small ? scale : largestMagnitude(range(D).map(sum))),
  );
  return marks;
}

function letters(key: string, x: number, y: number, text: string, more: Partial<Mark> = {}): Mark {
  return { key, kind: "text", x, y, text, layer: 1, ...more };
}

/** A token as the name of a row: cut to 8 letters on a narrow screen. */
function brief(token: string, compact: boolean): string {
  const text = tokenLabel(token);
  return compact && text.length > 8 ? `${text.slice(0, 7)}…` : text;
}

/** A text broken into lines of a width. */
function lines(
  key: string,
  x: number,
  y: number,
  text: string,
  width: number,
  more: Partial<Mark> = {},
): Mark[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)!} ${word}`.trim();
    if (labelWidth([longer]) * 1.02 > width && lines.at(-1) !== "") lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((each, n) =>
    letters(`${key}:${n}`, x, y + 18 * n, each, { size: 12.5, fill: "quiet", ...more }),
  );
}
