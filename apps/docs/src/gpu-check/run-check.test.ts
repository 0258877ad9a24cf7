import { checkCases } from "@qkv/device/check";
import { expect, test } from "vitest";
import type { CheckNews } from "./messages";
import { runCheck, type Opener } from "./run-check";

const [one] = checkCases();

test("subjects are opened and closed in sequence, and one that fails to open is skipped", async () => {
  const order: string[] = [];
  const opener = (name: string): Opener => ({
    name,
    open() {
      order.push(`open ${name}`);
      if (name === "broken") return Promise.reject(new Error("no adapter\nand more"));
      return Promise.resolve({
        subject: {
          name,
          matmul: ({ M, N }) => Promise.resolve(new Float32Array(M * N)),
          attention: () => Promise.resolve([]),
        },
        adapter: { name: "acme", software: false },
        close: () => order.push(`close ${name}`),
      });
    },
  });
  const news: CheckNews[] = [];
  await runCheck(["first", "broken", "last"].map(opener), (one) => news.push(one), [one!]);
  expect(order).toEqual(["open first", "close first", "open broken", "open last", "close last"]);
  expect(news.map(({ type }) => type)).toEqual([
    "begins",
    "adapter",
    "result",
    "begins",
    "left-out",
    "begins",
    "adapter",
    "result",
    "done",
  ]);
  expect(news[4]).toEqual({ type: "left-out", subject: "broken", reason: "no adapter" });
  // Zeros are a wrong product.
  expect(news[2]).toMatchObject({ result: { subject: "first", error: 1, passed: false } });
});
