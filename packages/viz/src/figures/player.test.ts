import fc from "fast-check";
import { expect, test } from "vitest";
import type { Figure } from "./figure.js";
import { moment, player, type PlayerAction, type PlayerState } from "./player.js";

type Choices = { count: number; loud: boolean };
const step = (id: string, chapter: string, milliseconds = 1000) => ({
  id,
  chapter,
  title: id,
  text: id,
  milliseconds,
});

// As many steps as the reader chooses, between a first and a last.
const figure: Figure<string, Choices> = {
  name: "count",
  title: "Count",
  caption: "Counts.",
  initial: { count: 3, loud: false },
  steps: (_, { count }) => [
    step("first", "Begin"),
    ...Array.from({ length: count }, (_, i) => step(`count-${i}`, "Count", 500)),
    step("last", "End"),
  ],
  scene: (_, __, ___, width) => ({ width, height: 1, marks: [], description: "" }),
  controls: () => [],
  table: () => ({ columns: [], rows: [] }),
};
type State = PlayerState<string, Choices>;
type Action = PlayerAction<string, Choices>;
const { start, reduce } = player(figure);
const after = (state: State, ...actions: Action[]) => actions.reduce(reduce, state);
const tick = (milliseconds: number): Action => ({ type: "tick", milliseconds });

test("the initial state is the last step, finished, not playing", () => {
  expect(start("m")).toMatchObject({ step: 4, progress: 1, playing: "no", choices: figure.initial });
  expect(player({ ...figure, initialStep: "count-1" }).start("m").step).toBe(2);
  expect(start("m", { count: 1 }).step).toBe(2);
});

test("a tick changes nothing while nothing plays", () => {
  expect(after(start("m"), tick(10_000))).toEqual(start("m"));
});

test("play at the end starts at the first step, plays every step for its duration, and stops at the end", () => {
  let state = after(start("m"), { type: "play" });
  expect(state).toMatchObject({ step: 0, progress: 0, playing: "all" });
  const seen = new Set<number>();
  for (let ms = 0; ms < 3500; ms += 50) {
    seen.add(state.step);
    expect(state.playing).toBe("all");
    state = after(state, tick(50));
  }
  expect([...seen]).toEqual([0, 1, 2, 3, 4]);
  expect(state).toMatchObject({ step: 4, progress: 1, playing: "no" });
});

test("one long tick continues into the next steps, but not beyond the end", () => {
  const playing = after(start("m"), { type: "play" });
  expect(after(playing, tick(1250))).toMatchObject({ step: 1, progress: 0.5 });
  expect(after(playing, tick(1e9))).toMatchObject({ step: 4, progress: 1, playing: "no" });
});

test("speed scales the duration", () => {
  const fast = after(start("m"), { type: "play" }, { type: "speed", speed: 2 });
  expect(after(fast, tick(250))).toMatchObject({ step: 0, progress: 0.5 });
});

test("next plays one step to its end; pressed again, it starts the following step", () => {
  const first = after(start("m"), { type: "seek", step: 0 }, { type: "next" });
  expect(first).toMatchObject({ step: 1, progress: 0, playing: "step" });
  expect(after(first, tick(9000))).toMatchObject({ step: 1, progress: 1, playing: "no" });
  expect(after(first, tick(100), { type: "next" })).toMatchObject({ step: 2, progress: 0, playing: "step" });
  expect(after(start("m"), { type: "next" })).toMatchObject({ step: 4, progress: 1, playing: "no" });
});

test("next finishes an unfinished step", () => {
  const paused = after(start("m"), { type: "play" }, tick(300), { type: "pause" });
  expect(after(paused, { type: "next" }, tick(100))).toMatchObject({
    step: 0,
    progress: 0.4,
    playing: "step",
  });
});

test("back shows the end of the previous step, or the start of the first", () => {
  expect(after(start("m"), { type: "back" })).toMatchObject({ step: 3, progress: 1, playing: "no" });
  expect(after(start("m"), { type: "seek", step: 0 }, { type: "back" })).toMatchObject({
    step: 0,
    progress: 0,
  });
});

test("seek takes an index or an id, and ignores unknown ones", () => {
  const at = after(start("m"), { type: "seek", step: "count-1", progress: 0.3 });
  expect(at).toMatchObject({ step: 2, progress: 0.3, playing: "no" });
  expect(after(at, { type: "seek", step: "nowhere" }, { type: "seek", step: 99 })).toEqual(at);
});

test("after a change of choices, the step stays, or is one of the same chapter", () => {
  const at = after(start("m"), { type: "seek", step: "last" }, { type: "choose", choices: { count: 1 } });
  expect(at).toMatchObject({ step: 2, choices: { count: 1, loud: false } });
  const gone = after(
    start("m"),
    { type: "seek", step: "count-2" },
    { type: "choose", choices: { count: 1 } },
  );
  expect(gone.step).toBe(1);
  expect(after(at, { type: "model", model: "other" })).toEqual({ ...at, model: "other" });
});

test("a pressed cell stops playback, and play removes its focus", () => {
  const pressed = after(start("m"), { type: "play" }, { type: "focus", cell: "scores:0:0" });
  expect(pressed).toMatchObject({ playing: "no", focus: "scores:0:0" });
  expect(moment(pressed).focus).toBe("scores:0:0");
  expect(after(pressed, { type: "toggle" })).toMatchObject({ playing: "all", focus: undefined });
});

test("without animation a step is shown finished, for its duration", () => {
  const still = after(start("m"), { type: "still", still: true }, { type: "play" });
  expect(moment(still)).toEqual({ step: 0, progress: 1 });
  expect(moment(after(still, tick(999)))).toEqual({ step: 0, progress: 1 });
  expect(moment(after(still, tick(1001)))).toEqual({ step: 1, progress: 1 });
});

const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom<Action>(
    ...(["play", "pause", "toggle", "next", "back"] as const).map((type) => ({ type })),
  ),
  fc.record({
    type: fc.constant("seek" as const),
    step: fc.integer({ min: -2, max: 9 }),
    progress: fc.double({ noNaN: true }),
  }),
  fc.record({ type: fc.constant("choose" as const), choices: fc.record({ count: fc.nat(5) }) }),
  fc.record({ type: fc.constant("tick" as const), milliseconds: fc.nat(5000) }),
  fc.record({ type: fc.constant("focus" as const), cell: fc.constantFrom(undefined, "a:0:0") }),
  fc.record({ type: fc.constant("still" as const), still: fc.boolean() }),
);

test("property: after any actions the step exists, at a progress from 0 to 1", () => {
  fc.assert(
    fc.property(fc.array(actions), (list) => {
      const state = after(start("m"), ...list);
      expect(figure.steps("m", state.choices)[state.step]).toBeDefined();
      expect(state.progress).toBeGreaterThanOrEqual(0);
      expect(state.progress).toBeLessThanOrEqual(1);
    }),
  );
});
