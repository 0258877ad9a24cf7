import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { writableStore } from "./store.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a subscriber is called with the value at once and at each change, until it unsubscribes", () => {
  const store = writableStore(1);
  const [seen, other]: [number[], number[]] = [[], []];
  const unsubscribe = store.subscribe((value) => seen.push(value));
  store.set(2);
  const unsubscribeOther = store.subscribe((value) => other.push(value));
  store.set(3);
  unsubscribe();
  unsubscribe();
  store.set(4);
  unsubscribeOther();
  store.set(5);
  expect([seen, other, store.getSnapshot()]).toEqual([[1, 2, 3], [2, 3, 4], 5]);
});

test("a subscriber that unsubscribes during a change is not called again, and the others still are", () => {
  const store = writableStore(0);
  const seen: string[] = [];
  const unsubscribe = store.subscribe((value) => {
    seen.push(`first ${value}`);
    if (value === 1) unsubscribe();
  });
  store.subscribe((value) => seen.push(`second ${value}`));
  store.set(1);
  store.set(2);
  expect(seen).toEqual(["first 0", "second 0", "first 1", "second 1", "second 2"]);
});

test("onFirstSubscriber is called for the first subscriber, onNoSubscribers after idleMs without subscribers", () => {
  const calls: string[] = [];
  const store = writableStore(0, {
    ...{
      onFirstSubscriber: () => calls.push("first"),
      onNoSubscribers: () => calls.push("none"),
      idleMs: 50,
    },
  });
  const one = store.subscribe(() => undefined);
  const two = store.subscribe(() => undefined);
  one();
  vi.advanceTimersByTime(100);
  expect([calls, store.subscriberCount()]).toEqual([["first"], 1]);
  two();
  vi.advanceTimersByTime(49);
  const three = store.subscribe(() => undefined);
  vi.advanceTimersByTime(100);
  expect(calls).toEqual(["first", "first"]);
  three();
  vi.advanceTimersByTime(50);
  expect(calls).toEqual(["first", "first", "none"]);
});

test("a subscriber that sets another value: later subscribers get the last value last", () => {
  const store = writableStore(0);
  const seen: number[] = [];
  store.subscribe((value) => value === 1 && store.set(2));
  store.subscribe((value) => seen.push(value));
  store.set(1);
  expect([seen, store.getSnapshot()]).toEqual([[0, 2], 2]);
});

test("a subscriber that another one unsubscribes during a change is not called", () => {
  const store = writableStore(0);
  const seen: number[] = [];
  store.subscribe((value) => value === 1 && unsubscribe());
  const unsubscribe = store.subscribe((value) => seen.push(value));
  store.set(1);
  expect(seen).toEqual([0]);
});
