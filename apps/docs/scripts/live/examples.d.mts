import type { Message } from "@qkv/page";
import type { Unfit } from "../../src/live/live-device";

export type Examples = {
  runExample(name: string): Promise<{ code: string; output: Message[]; unfit: Unfit }>;
  prerender(name: "first-page" | "figures"): Promise<string>;
  refresh(): Promise<void>;
  end(): Promise<void>;
};
export function exampleNames(): string[];
export function openExamples(): Promise<Examples>;
