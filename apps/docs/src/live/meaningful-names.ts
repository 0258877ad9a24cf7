/** The names in code with a color of their own: query, key and value, and their plurals. */
export const meaningful = /\b(?:query|queries|keys?|values?)\b/gi;

/** Returns which of the three a matched name is. */
export function meaningOf(name: string): "query" | "key" | "value" {
  const lower = name.toLowerCase();
  return lower.startsWith("q") ? "query" : lower.startsWith("k") ? "key" : "value";
}
