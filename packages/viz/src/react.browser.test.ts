import { createElement, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { expect, test } from "vitest";
import { HeadGrid } from "./react.js";

const weights = { data: new Float32Array(16).fill(0.5), shape: [2, 2, 2, 2] };

test("selecting a head calls the listener, and the keyboard focus stays after the redraw", async () => {
  const heads: object[] = [];
  function Page() {
    const [selected, setSelected] = useState<{ layer: number; head: number }>();
    const onHeadSelect = (head: { layer: number; head: number }) => {
      heads.push(head);
      flushSync(() => setSelected(head));
    };
    return createElement(HeadGrid, { args: [weights, { selected }], onHeadSelect });
  }
  const place = document.createElement("main");
  document.body.append(place);
  const root = createRoot(place);
  flushSync(() => root.render(createElement(Page)));
  const group = () => place.querySelector<HTMLElement>("[role=group]")!;
  await expect.poll(group).toBeTruthy();
  const maps = () => [...place.querySelectorAll("rect:has(> title)")];
  maps()[3]!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(heads).toEqual([{ layer: 1, head: 1 }]);
  expect(place.querySelectorAll("[data-qkv-selected]").length).toBe(1);

  await expect.poll(group).toBeTruthy();
  group().focus();
  const press = (key: string) =>
    group().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  press("ArrowUp");
  press("Enter");
  expect(heads[1]).toEqual({ layer: 0, head: 1 });
  await expect.poll(() => document.activeElement === group()).toBe(true);
  root.unmount();
  place.remove();
});
