import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ownStore } from "./store.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a reader is called with the value at once and at each change, until it leaves", () => {
  const store = ownStore(1);
  const [seen, other]: [number[], number[]] = [[], []];
  const leave = store.subscribe((value) => seen.push(value));
  store.set(2);
  const leaveOther = store.subscribe((value) => other.push(value));
  store.set(3);
  leave();
  leave();
  store.set(4);
  leaveOther();
  store.set(5);
  expect([seen, other, store.getSnapshot()]).toEqual([[1, 2, 3], [2, 3, 4], 5]);
});

test("a reader that leaves while others are called is called no more, and the others are", () => {
  const store = ownStore(0);
  const seen: string[] = [];
  const leave = store.subscribe((value) => {
    seen.push(`first ${value}`);
    if (value === 1) leave();
  });
  store.subscribe((value) => seen.push(`second ${value}`));
  store.set(1);
  store.set(2);
  expect(seen).toEqual(["first 0", "second 0", "first 1", "second 1", "second 2"]);
});

test("the first reader and the end of the last are told, and a reader that comes at once is no end", () => {
  const calls: string[] = [];
  const store = ownStore(0, {
    ...{ onFirst: () => calls.push("first"), onNone: () => calls.push("none"), patienceMs: 50 },
  });
  const one = store.subscribe(() => undefined);
  const two = store.subscribe(() => undefined);
  one();
  vi.advanceTimersByTime(100);
  expect([calls, store.readers()]).toEqual([["first"], 1]);
  two();
  vi.advanceTimersByTime(49);
  const three = store.subscribe(() => undefined);
  vi.advanceTimersByTime(100);
  expect(calls).toEqual(["first", "first"]);
  three();
  vi.advanceTimersByTime(50);
  expect(calls).toEqual(["first", "first", "none"]);
});
