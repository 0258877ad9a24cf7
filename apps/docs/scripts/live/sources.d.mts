import type { Plugin } from "esbuild";

export function sourceOf(name: string): string | undefined;
export const fromSources: { plugin: Plugin; define: Record<string, string> };
