import { createElement, type default as React } from "react";
import { renderToString } from "react-dom/server";
import { expect, test, vi } from "vitest";

// React 18 has no `use`.
vi.mock("react", async (original) => ({ ...(await original<typeof React>()), use: undefined }));
const { useModel } = await import("./index.js");

test("in React 18 a component throws the promise of its model", () => {
  const load = (_: string) => new Promise<object>(() => undefined);
  let thrown: unknown;
  const Suspended = () => {
    try {
      useModel("a", { runtime: { load }, suspense: true });
    } catch (error) {
      thrown = error;
    }
    return createElement("p");
  };
  renderToString(createElement(Suspended));
  expect(thrown).toBeInstanceOf(Promise);
});
