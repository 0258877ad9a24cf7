import { afterEach, expect, test, vi } from "vitest";
import { processIo } from "./io.js";

const { isTTY } = process.stderr;
const terminal = (is: boolean) =>
  Object.defineProperty(process.stderr, "isTTY", { value: is, configurable: true });

afterEach(() => {
  terminal(isTTY);
  vi.unstubAllEnvs();
});

test("colours only on a terminal that supports them, and never with NO_COLOR", () => {
  const colors = () => processIo(new AbortController().signal).color;
  vi.stubEnv("NO_COLOR", "");
  vi.stubEnv("TERM", "xterm");
  terminal(true);
  expect(colors()).toBe(true);
  vi.stubEnv("TERM", "dumb");
  expect(colors()).toBe(false);
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("NO_COLOR", "1");
  expect(colors()).toBe(false);
  vi.stubEnv("NO_COLOR", "");
  terminal(false);
  expect(colors()).toBe(false);
});
