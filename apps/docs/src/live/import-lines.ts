/** Number of lines of the leading imports, and of the empty lines after them. */
export function importLines(code: string): number {
  const imports = /^(?:import\b[^;]*;[^\S\n]*\n)+(?:[^\S\n]*\n)*/.exec(code)?.[0] ?? "";
  return imports.split("\n").length - 1;
}

/** Label of folded imports with their packages: "imports from @qkv/tensor, @qkv/viz". */
export function importsLabel(code: string): string {
  const names = [...code.matchAll(/^(?:import|\})[^;]*?from "([^"]+)";/gm)].map(([, name]) => name);
  return `imports from ${names.join(", ")}`;
}
