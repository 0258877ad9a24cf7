import type { PatternNode } from "./pattern-node.js";

/** Converts a pattern to JavaScript's syntax with the flag u. Atomic groups become a lookahead with a backreference. */
export function toJavaScript(tree: PatternNode): string {
  let groups = 0;
  const atomic = (source: string) => {
    groups += 1;
    return `(?=(?<a${groups}>${source}))\\k<a${groups}>`;
  };
  const write = (node: PatternNode): string => {
    switch (node.type) {
      case "set":
      case "assertion":
        return node.source;
      case "sequence":
        return node.nodes
          .map((child) => (child.type === "alternation" ? `(?:${write(child)})` : write(child)))
          .join("");
      case "alternation":
        return node.nodes.map(write).join("|");
      case "lookaround":
        return `(?${node.lookbehind ? "<" : ""}${node.negative ? "!" : "="}${write(node.node)})`;
      case "atomic":
        return atomic(write(node.node));
      case "repetition": {
        const body = node.node.type === "set" ? write(node.node) : `(?:${write(node.node)})`;
        const { min, max } = node;
        const repeated = `${body}${quantifier(min, max)}${node.mode === "lazy" ? "?" : ""}`;
        return node.mode === "possessive" ? atomic(repeated) : repeated;
      }
    }
  };
  return write(tree);
}

function quantifier(min: number, max: number): string {
  if (max === Infinity && min <= 1) return min === 0 ? "*" : "+";
  if (max === Infinity) return `{${min},}`;
  return min === 0 && max === 1 ? "?" : `{${min},${max}}`;
}
