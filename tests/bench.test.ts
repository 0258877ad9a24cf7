// The benchmark harness, with fake contenders and fake times.
import { describe, expect, test } from "vitest";
import { readdirSync } from "node:fs";
import { compare, comparisonTable, pairedRatio } from "../benchmarks/compare.mjs";
import { historyLine } from "../benchmarks/history.mjs";
import { measure } from "../benchmarks/measure.mjs";
import { newTexts } from "../benchmarks/new-texts.mjs";
import { rowsOf } from "../benchmarks/rows-of.mjs";
import { runnerOf } from "../benchmarks/runner.mjs";
import { graph } from "../benchmarks/peers/onnx.mjs";
import { table } from "../benchmarks/table.mjs";

type Fake = {
  name: string;
  kind: string;
  figures?: number[];
  output?: unknown;
  fails?: string;
  rival?: true;
  resident?: string;
};

/** Measures contenders with given figures and outputs. Returns the log of their calls, in order. */
async function measured(fakes: Fake[], row: object = {}, rounds = 3) {
  const asked: string[] = [];
  const closed: string[] = [];
  const open = async (contender: Fake | "expected") => {
    if (contender === "expected") throw new Error("no row here computes what is right");
    const { name, figures = [], output, fails } = contender;
    let round = 0;
    return {
      async prepare() {
        if (fails === "prepare") throw new Error(`${name} does not load\nat some place`);
        return { threads: name === "two threads" ? 2 : 1, measures: true };
      },
      async output() {
        asked.push(`output of ${name}`);
        return output;
      },
      async figure() {
        asked.push(name);
        if (fails === "figure" && round === 1) throw new Error(`${name} broke`);
        return figures[round++];
      },
      close: async () => void closed.push(name),
    };
  };
  const report = await measure(
    { id: "fake/row", unit: "ms", better: "low", contenders: fakes, ...row },
    { rounds, open },
  );
  return { report, asked, closed };
}

const ours = { name: "ours", kind: "ours", figures: [4, 2, 3], output: [1, 2] };
const peer = { name: "peer", kind: "peer", figures: [6, 8, 7], output: [1, 2] };

describe("measure", () => {
  test("outputs are compared before timing, and contenders are timed round-robin", async () => {
    const { asked, closed } = await measured([ours, peer]);
    expect(asked).toEqual([
      "output of ours",
      "output of peer",
      "ours",
      "peer",
      "ours",
      "peer",
      "ours",
      "peer",
    ]);
    expect(closed).toEqual(["ours", "peer"]);
  });

  test("a row has the fields of the JSON report", async () => {
    const limit = { name: "limit", kind: "limit", figures: [1, 1, 1] };
    const native = { name: "two threads", kind: "native", figures: [6, 6, 6], output: [1, 2] };
    const { report } = await measured([ours, peer, native, limit], { aim: 3 });
    expect(report).toEqual({
      id: "fake/row",
      unit: "ms",
      better: "low",
      results: [
        { name: "ours", kind: "ours", threads: 1, median: 3, min: 2, best: 2 },
        { name: "peer", kind: "peer", threads: 1, median: 7, min: 6, best: 6 },
        { name: "two threads", kind: "native", threads: 2, median: 6, min: 6, best: 6 },
        { name: "limit", kind: "limit", threads: 1, median: 1, min: 1, best: 1 },
      ],
      ratios: { peer: 7 / 3, native: 2, limit: 1 / 3, aim: 3 },
      pairs: { peer: ["ours", "peer"], native: ["ours", "two threads"], limit: ["ours", "limit"] },
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("if more is better, the best is the largest, and ratios are inverted", async () => {
    const { report } = await measured([ours, peer], { better: "high" });
    expect(report.results[1]).toMatchObject({ median: 7, min: 6, best: 8 });
    expect(report.ratios).toEqual({ peer: 3 / 7 });
  });

  test("figures are work per second if a row defines its work, otherwise the time of a call", async () => {
    const contender = { name: "ours", kind: "ours" };
    const open = async () => ({
      prepare: async () => ({ threads: 1, measures: false }),
      output: async () => undefined,
      figure: async () => 500,
      close: async () => {},
    });
    const row = { id: "fake/row", unit: "GB/s", better: "high", contenders: [contender] };
    const { results } = await measure({ ...row, work: 8 }, { rounds: 1, open });
    expect(results[0].median).toBe(16);
    expect((await measure(row, { rounds: 1, open })).results[0].median).toBe(500);
  });

  test("a peer with wrong outputs is timed and marked, and has no ratio", async () => {
    const wrong = { name: "wrong", kind: "peer", figures: [1, 1, 1], output: [1, 2.5] };
    const { report } = await measured([ours, peer, wrong], { tolerance: 0.1 });
    expect(report.results[2]).toMatchObject({
      wrong: true,
      median: 1,
      difference: "value 1 is 2.5, expected 2 within 0.1",
    });
    expect(report.ratios.peer).toBe(7 / 3);
    expect(table(report)).toMatch(/wrong +peer +1t +1\.00 +min 1\.00 +WRONG/);
  });

  test.each([
    [[1], "1 values, expected 2"],
    [[1, NaN], "value 1 is NaN, expected 2 within 0"],
    [["1", "2"], "value 0 is 1, expected 1 within 0"],
  ])("%j is wrong", async (output, difference) => {
    const { report } = await measured([ours, { ...peer, output }]);
    expect(report.results[1]).toMatchObject({ wrong: true, difference });
  });

  test("outputs of a peer are compared within the tolerance", async () => {
    const { report } = await measured([ours, { ...peer, output: [1.05, 2] }], { tolerance: 0.1 });
    expect(report.results[1]).not.toHaveProperty("wrong");
  });

  test("a failing peer is listed with the reason, at any stage", async () => {
    const { report, closed } = await measured([
      ours,
      { ...peer, name: "absent", fails: "prepare" },
      { ...peer, name: "weak", fails: "figure" },
      peer,
    ]);
    expect(report.failed).toEqual([
      { name: "absent", kind: "peer", reason: "absent does not load" },
      { name: "weak", kind: "peer", reason: "weak broke" },
    ]);
    expect(report.results.map(({ name }: Fake) => name)).toEqual(["ours", "peer"]);
    expect(closed.toSorted()).toEqual(["absent", "ours", "peer", "weak"]);
    expect(table(report)).toMatch(/absent +peer +failed: absent does not load/);
  });

  test("a peer more than ten times slower in the first round is not run again", async () => {
    const slow = { ...peer, name: "slow", figures: [41, 1, 1] };
    const just = { ...peer, name: "just", figures: [40, 30, 30] };
    const { report, asked } = await measured([ours, slow, just]);
    expect(asked.filter((name) => name === "slow")).toHaveLength(1);
    expect(report.results[1]).toMatchObject({ median: 41, stopped: true });
    expect(report.results[2]).toMatchObject({ median: 30 });
  });

  test("a contender with wrong outputs is not the reference for too slow", async () => {
    const wrong = { name: "wrong", kind: "peer", figures: [0.1, 0.1, 0.1], output: [9, 9] };
    const { report } = await measured([ours, wrong, peer]);
    expect(
      report.results.filter(({ stopped }: { stopped?: boolean }) => stopped),
      "measurements that were stopped, though none is slow",
    ).toEqual([]);
  });

  test("the aim refers to a rival among our own contenders", async () => {
    const rival = { ...ours, name: "ours, the long way", figures: [60, 60, 60], rival: true as const };
    const { report } = await measured([ours, rival, peer], { aim: 20 });
    expect(report.ratios).toEqual({ peer: 7 / 3, rival: 20, aim: 20 });
    expect(report.results[1]).toMatchObject({ rival: true, stopped: true, median: 60 });
  });
});

describe("resident contenders", () => {
  const resident = { ...ours, name: "ours", figures: [2, 2, 2], resident: "all" };
  const host = { ...ours, name: "ours, nothing resident", figures: [6, 6, 6], resident: "nothing" };
  const onHost = { ...peer, name: "on the host", figures: [9, 9, 9], resident: "nothing" };
  const onDevice = { ...peer, name: "on the device", figures: [5, 5, 5], resident: "all" };

  test("a peer that copies is compared with our contender that copies, not with our resident one", async () => {
    const { report } = await measured([resident, host, onHost], { aim: 3 });
    expect(report.ratios).toEqual({ peer: 1.5, aim: 3 });
    expect(report.pairs).toEqual({ peer: ["ours, nothing resident", "on the host"] });
  });

  test("the smallest ratio counts, each peer compared with our contender of the same kind", async () => {
    const both = await measured([resident, host, onHost, onDevice]);
    expect(both.report.ratios).toEqual({ peer: 1.5 }); // 9 / 6, and not 5 / 2, nor 5 / 6
    const faster = { ...onDevice, figures: [2.5, 2.5, 2.5] };
    const { report } = await measured([resident, host, onHost, faster]);
    expect(report.ratios).toEqual({ peer: 1.25 });
    expect(report.pairs).toEqual({ peer: ["ours", "on the device"] });
    const high = await measured([resident, host, onHost, onDevice], { better: "high" });
    expect(high.report.ratios).toEqual({ peer: 2 / 5 });
  });

  test("a peer is compared with our best contender of the same kind", async () => {
    const slower = { ...host, name: "ours, plain", figures: [8, 8, 8] };
    const { report } = await measured([slower, host, onHost]);
    expect(report.pairs).toEqual({ peer: ["ours, nothing resident", "on the host"] });
  });

  test("a peer has no ratio without a contender of ours of the same kind", async () => {
    const { report } = await measured([resident, onHost]);
    expect(report.ratios).toEqual({});
  });

  test("native libraries and rivals follow the same rule; a limit copies nothing and is compared with our best contender", async () => {
    const native = { ...onHost, name: "native", kind: "native", figures: [3, 3, 3] };
    const rival = { ...host, name: "the long way", figures: [12, 12, 12], rival: true as const };
    const limit = { name: "limit", kind: "limit", figures: [1, 1, 1] };
    const { report } = await measured([resident, host, rival, native, limit]);
    expect(report.ratios).toEqual({ native: 0.5, rival: 2, limit: 0.5 });
    expect(report.pairs.limit).toEqual(["ours", "limit"]);
  });

  test("a contender that copies is too slow only relative to others that copy", async () => {
    const copies = { ...host, figures: [30, 30, 30] };
    const others = { ...onHost, figures: [40, 40, 40] };
    const { report } = await measured([resident, copies, others]);
    expect(
      report.results.filter(({ stopped }: { stopped?: boolean }) => stopped),
      "measurements that were stopped, though none is slow",
    ).toEqual([]);
  });

  test("the table and the JSON mark resident contenders", async () => {
    const { report } = await measured([resident, host, onHost]);
    expect(report.results.map((result: Fake) => result.resident)).toEqual(["all", "nothing", "nothing"]);
    expect(table(report)).toMatch(/ours +ours +1t +all resident +2\.00/);
    expect(table(report)).toMatch(/on the host +peer +1t +nothing resident +9\.00/);
    expect(table(report)).toContain("1.50 of the best peer (ours, nothing resident / on the host)");
  });

  const folder = new URL("../benchmarks/suites/", import.meta.url);
  const suites = readdirSync(folder).filter((file) => file.endsWith(".mjs"));
  test.each(suites)(
    "%s says it of every contender, and every other one has its like among ours",
    async (file) => {
      const module = await import(new URL(file, folder).href);
      for (const browser of [false, true]) {
        const context = { threads: 1, devices: ["wasm"], browser, clock: "wall" };
        for (const { id, contenders } of rowsOf(module, context) as { id: string; contenders: Fake[] }[]) {
          const compared = contenders.filter(({ kind }) => kind !== "limit");
          for (const { name, resident } of compared)
            expect(["all", "inputs", "state", "nothing"], `${id}: ${name}`).toContain(resident);
          const mine = compared.filter(({ kind, rival }) => kind === "ours" && !rival);
          for (const { name, resident } of compared)
            expect(
              mine.map((one) => one.resident),
              `${id}: ${name}`,
            ).toContain(resident);
          const names = contenders.map(({ name }) => name);
          expect(new Set(names).size, id).toBe(names.length);
        }
      }
    },
  );
});

describe("new texts", () => {
  const text = "The quick brown fox, jumps over\n the lazy dog; naïve Ελλάδα: ".repeat(3);
  test.each(Object.keys(newTexts) as (keyof typeof newTexts)[])(
    "%s: no text comes twice, and the same number gives the same one",
    (kind) => {
      const texts = [0, 1, 2, 3].map((seed) => newTexts[kind](text, seed));
      expect(new Set(texts).size).toBe(4);
      expect(newTexts[kind](text, 2)).toBe(texts[2]);
      expect(texts[0]!.length).toBeGreaterThanOrEqual(100_000);
    },
  );

  test("new-order has the words of the text, new-words has other words", () => {
    const seen = new Set(text.match(/[\p{L}\p{M}]+/gu));
    const words = (kind: keyof typeof newTexts) => newTexts[kind](text, 1).match(/[\p{L}\p{M}]+/gu)!;
    expect(
      words("new-order").filter((word) => !seen.has(word)),
      "words that the text does not have",
    ).toEqual([]);
    expect(words("new-words").filter((word) => !seen.has(word)).length).toBeGreaterThan(10_000);
  });
});

describe("runner", () => {
  const row = (prepare: (context: object) => object) => ({
    expected: () => [7],
    contenders: [{ name: "it", kind: "ours", prepare }],
  });

  test("calls are counted, and promises awaited", async () => {
    let calls = 0;
    const soon = () => new Promise((resolve) => setTimeout(() => resolve((calls += 1)), 20));
    const runner = runnerOf(
      row(() => ({ call: soon, threads: 3 })),
      "it",
      {},
    );
    expect(await runner.prepare()).toEqual({ threads: 3, measures: false });
    expect(await runner.output()).toBeUndefined();
    expect(await runner.figure()).toBeGreaterThan(10);
    expect(calls).toBeGreaterThan(3);
  });

  test("a contender may measure itself, and a row computes the expected output", async () => {
    const runner = runnerOf(
      row(({ threads }: { threads?: number }) => ({ measure: () => threads })),
      "it",
      {
        threads: 5,
      },
    );
    expect(await runner.prepare()).toEqual({ threads: 1, measures: true });
    expect(await runner.figure()).toBe(5);
    const right = runnerOf(
      row(() => ({})),
      "expected",
      {},
    );
    await right.prepare();
    expect(await right.output()).toEqual([7]);
  });
});

test("a model for onnxruntime has the bytes of the ONNX format", () => {
  const g = graph({ opset: 17 });
  g.op("Relu", [g.input("x", [300])], {}, { to: [g.output("y", ["n"])] });
  const hex = (text: string) => Buffer.from(text).toString("hex");
  const sized = (tag: string, content: string) =>
    `${tag}${(content.length / 2).toString(16).padStart(2, "0")}${content}`;
  const node = `0a01${hex("x")}1201${hex("y")}2204${hex("Relu")}3a00`;
  // A name, then a type: float32 tensor (element type 1) with one dimension, 300 or "n".
  const x = `0a01${hex("x")}120b0a09080112050a0308ac02`;
  const y = `0a01${hex("y")}120b0a09080112050a0312016e`;
  const content = [sized("0a", node), sized("12", hex("graph")), sized("5a", x), sized("62", y)].join("");
  const opsets = [sized("42", "0a001011"), sized("42", `0a0d${hex("com.microsoft")}1001`)].join("");
  expect(Buffer.from(g.bytes()).toString("hex")).toBe(`080a${sized("3a", content)}${opsets}`);
});

test("an output that cannot be sent between processes is wrong, and its type is named", async () => {
  const inherited = { name: "it", kind: "peer", prepare: () => ({ output: () => [1, {}.hasOwnProperty] }) };
  const runner = runnerOf({ contenders: [inherited] }, "it", {});
  await runner.prepare();
  const output = await runner.output();
  expect(structuredClone(output)).toEqual([1, "function function hasOwnProperty() { [native code] }"]);
  const { report } = await measured([ours, { ...peer, output }]);
  expect(report.results[1]).toMatchObject({
    wrong: true,
    difference: expect.stringMatching(/^value 1 is function/),
  });
});

describe("compare", () => {
  const slow = { name: "@qkv on wasm", kind: "ours" };
  /** Opens contenders with given figures, and logs their calls. */
  function opener(figures: Record<"this" | "other", number>, outputs: Record<"this" | "other", number[]>) {
    const asked: string[] = [];
    const open = async (state: "this" | "other") => ({
      prepare: async () => ({ threads: 1, measures: false }),
      output: async () => outputs[state],
      figure: async () => (asked.push(state), figures[state]),
      close: async () => void asked.push(`${state} closed`),
    });
    return { asked, open };
  }
  const row = {
    id: "fake/row",
    unit: "ms",
    better: "low",
    contenders: [slow, { name: "peer", kind: "peer" }],
  };

  test("only our contenders are compared, in paired rounds of new processes that alternate the order", async () => {
    const { asked, open } = opener({ this: 2, other: 3 }, { this: [1], other: [1] });
    const { states } = await compare(row, { rounds: 6, open });
    const near = (x: number) => expect.closeTo(x, 9);
    expect(states).toEqual([
      {
        name: "@qkv on wasm",
        ratio: near(1.5),
        low: near(1.5),
        high: near(1.5),
        this: near(2),
        other: near(3),
      },
    ]);
    const five = (order: string[]) => Array.from({ length: 5 }, () => order).flat();
    expect(asked.slice(0, 44)).toEqual([
      ...[...five(["this", "other", "other", "this"]), "this closed", "other closed"],
      ...[...five(["other", "this", "this", "other"]), "this closed", "other closed"],
    ]);
    expect(comparisonTable({ id: "fake/row", states })).toBe(
      "fake/row\n  @qkv on wasm  1.500 times as fast, 95 % bounds 1.500 to 1.500",
    );
  });

  test("two commits with different outputs are not compared", async () => {
    const { open } = opener({ this: 2, other: 3 }, { this: [1], other: [2] });
    const { states } = await compare(row, { rounds: 6, open });
    expect(states[0].failed).toMatch(/^the two states differ: value 0 is 1, expected 2/);
  });

  test("the confidence interval contains the true ratio in about 95 of 100 runs, and an outlier moves neither bound far", () => {
    let state = 1;
    const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    let inside = 0;
    for (let run = 0; run < 1000; run++) {
      const { low, high } = pairedRatio(Array.from({ length: 15 }, () => Math.log(1.2) + 0.1 * normal()));
      if (low <= 1.2 && 1.2 <= high) inside++;
    }
    expect(inside).toBeGreaterThan(925);
    expect(inside).toBeLessThan(975);
    const calm = Array.from({ length: 15 }, (_, i) => 0.01 * (i - 7));
    expect(pairedRatio([...calm, 3]).ratio).toBeLessThan(1.02);
    expect(pairedRatio([...calm, 3]).low).toBeLessThan(1);
  });
});

test("a recorded line has the fields of the page, and no field that was not measured", async () => {
  const { report } = await measured([ours, peer], { aim: 3 });
  const about = {
    date: "2026-11-27",
    commit: "abc1234",
    processor: "Some CPU, family 25 model 17",
    engine: "Node 24.21.0",
    threads: 1,
  };
  expect(historyLine(report, about)).toEqual({
    ...about,
    row: "fake/row",
    unit: "ms",
    ours: 3,
    peer: "peer",
    ratio: 2.333,
    aim: 3,
  });
});
