// Text given to a picture stays text, whatever it contains: it adds no element or attribute, and does not end the picture.
import fc from "fast-check";
import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import * as viz from "./index.js";

type Text<T> = T extends string ? T : T extends readonly (infer Item)[] ? Text<Item> : never;
/** The options of a type that take any text, each of which a test must give. */
type Texts<T> = Required<
  Pick<T, { [K in keyof T]-?: string extends Text<NonNullable<T[K]>> ? K : never }[keyof T]>
>;

const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
const heads = { data: [1, 0, 0.25, 0.5], shape: [1, 1, 2, 2] };
const numbers = { data: [1, -2], shape: [2] };

/** Each picture with a text wherever it takes one. Another option that takes text does not compile until it is here. */
const draw: Record<string, (text: string) => string> = {
  attentionMap: (text) =>
    viz.attentionMap(weights, {
      title: text,
      rowLabels: [text, text],
      columnLabels: [text, text],
    } satisfies Texts<viz.AttentionMapOptions>),
  attributionGraph: (text) =>
    viz.attributionGraph(
      {
        dot: 1,
        nodes: [
          { id: 0, name: text, side: "key", position: 0, value: 1 },
          { id: 1, parent: 0, name: text, side: "key", value: -1 },
        ],
      },
      { title: text, tokens: [text], ...{ expanded: [0] } } satisfies Texts<viz.AttributionGraphOptions>,
    ),
  bars: (text) =>
    viz.bars(numbers, { title: text, labels: [text, text], unit: text } satisfies Texts<viz.BarsOptions>),
  cachePages: (text) =>
    viz.cachePages({ pages: 2, pageLength: 2, table: [[0]], lengths: [2] }, {
      title: text,
      labels: [text],
      tokens: [[text, [...text][0]!]],
    } satisfies Texts<viz.CachePagesOptions>),
  headGrid: (text) =>
    viz.headGrid(heads, { title: text, rowName: text } satisfies Texts<viz.HeadGridOptions>),
  headView: (text) =>
    viz.headView(heads, {
      ...({
        title: text,
        rowLabels: [text, text],
        columnLabels: [text, text],
      } satisfies Texts<viz.HeadViewOptions>),
      ...{ window: 1, query: 1, sink: true },
    }),
  lines: (text) =>
    viz.lines(numbers, {
      title: text,
      labels: [text],
      xLabel: text,
      yLabel: text,
    } satisfies Texts<viz.LinesOptions>),
  logitLensView: (text) =>
    viz.logitLensView(
      {
        ...{
          names: [text],
          tokens: [text],
          topTokens: [[[text]]],
          probabilities: { data: [1], shape: [1, 1, 1] },
        },
        final: {
          tokens: [text],
          probabilities: { data: [1], shape: [1, 1] },
          ranks: { data: [1], shape: [1, 1] },
        },
      },
      { title: text } satisfies Texts<viz.LogitLensViewOptions>,
    ),
  maskTiles: (text) => viz.maskTiles(() => true, 4, { title: text } satisfies Texts<viz.MaskTilesOptions>),
  modelView: (text) => viz.modelView([heads], { title: text } satisfies Texts<viz.ModelViewOptions>),
  neuronView: (text) =>
    viz.neuronView(numbers, weights, {
      ...({ title: text, columnLabels: [text, text] } satisfies Texts<viz.NeuronViewOptions>),
      ...{ window: 1, keepFirst: 1, sinkLogit: 0, place: 0 },
    }),
  patchingView: (text) =>
    viz.patchingView({ names: [text, text], values: weights }, {
      title: text,
      columnLabels: [text, text],
      metricName: text,
    } satisfies Texts<viz.PatchingViewOptions>),
  pieces: (text) =>
    viz.pieces([{ label: text, pieces: [text], notes: [text] } satisfies Texts<viz.PieceRow>], {
      title: text,
    } satisfies Texts<viz.PiecesOptions>),
  planTiles: (text) =>
    viz.planTiles({ queryTile: 64, keyTile: 64, rows: 1, columns: 1, classes: [1] }, {
      title: text,
    } satisfies Texts<viz.PlanTilesOptions>),
  roofline: (text) =>
    viz.roofline(
      { data: [1, 1], shape: [1, 2] },
      [{ bytesPerSecond: 1, flopsPerSecond: 1, ...({ label: text } satisfies Texts<viz.Roof>) }],
      { title: text, labels: [text] } satisfies Texts<viz.RooflineOptions>,
    ),
  ropeClock: (text) =>
    viz.ropeClock({ query: 5, key: 2 }, 2, { title: text } satisfies Texts<viz.RopeClockOptions>),
  tokenArcs: (text) =>
    viz.tokenArcs(weights, { title: text, labels: [text, text] } satisfies Texts<viz.TokenArcsOptions>),
  trainingView: (text) =>
    viz.trainingView([{ step: 1, loss: 2, evaluation: 3 }], {
      title: text,
    } satisfies Texts<Omit<viz.TrainingViewOptions, "show">>),
  vectors: (text) =>
    viz.vectors(numbers, { title: text, labels: [text] } satisfies Texts<viz.VectorsOptions>),
};

/** The elements of a picture with the names of their attributes, and its text. A picture that is no XML throws. */
function parsed(picture: string): { elements: string[]; text: string } {
  const parser = new SaxesParser();
  const [elements, texts]: [string[], string[]] = [[], []];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => elements.push([name, ...Object.keys(attributes)].join(" ")));
  parser.on("text", (text) => texts.push(text));
  for (const event of ["comment", "cdata", "doctype", "processinginstruction"] as const)
    parser.on(event, () => elements.push(event));
  parser.write(picture).close();
  return { elements, text: texts.join("\n") };
}

/** The text as XML has it: what XML cannot hold is �, and lines end with a line feed. */
const asXml = (text: string) =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd").replace(/\r\n?/g, "\n");
/** As long a text in which nothing means anything to XML. */
const harmless = (text: string) => asXml(text).replace(/[&<>"'\]]/g, "x");

const hostile = fc.constantFrom(
  ...[
    "<script>alert(1)</script>",
    "</title><title>x",
    '"><script>',
    "' onload='alert(1)",
    "]]>",
    "<![CDATA[",
  ],
  ...[
    "-->",
    "<!--",
    "<?x?>",
    "<!DOCTYPE x>",
    "&amp;",
    "&#60;",
    "&x;",
    "</svg><svg>",
    "\0",
    "\x1b[31m",
    "\ud800",
  ],
  ...["\udc00\ud800", "\ufffe", "\u2028", "\r", "{{x}}", "javascript:x"],
);
const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
const text = fc.oneof(
  hostile,
  fc.tuple(hostile, fc.string({ unit }), hostile).map((parts) => parts.join("")),
  fc.string({ unit, minLength: 1, maxLength: 20 }),
);

test("every picture is tested", () => {
  const others = ["isPicture", "readViewFile", "tableOf", "weightPixels", "weightShades"];
  const functions = Object.entries(viz).flatMap(([name, value]) =>
    typeof value === "function" ? [name] : [],
  );
  expect(functions.filter((name) => !others.includes(name))).toEqual(Object.keys(draw));
});

test.each(Object.keys(draw))("property: any text in %s is escaped", (name) => {
  fc.assert(
    fc.property(text, (text) => {
      const picture = parsed(draw[name]!(text));
      expect(picture.elements).toEqual(parsed(draw[name]!(harmless(text))).elements);
      expect(picture.text).toContain(asXml(text));
    }),
  );
});

test("property: the table of a picture has the given text", () => {
  fc.assert(
    fc.property(text, (text) => {
      // eslint-disable-next-line no-control-regex
      fc.pre(!/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u.test(text));
      const { title, rows } = viz.tableOf(viz.bars(numbers, { title: text, labels: [text, "b"] }));
      expect([title, rows[0]]).toEqual([text, { name: text, value: "1" }]);
    }),
  );
});
