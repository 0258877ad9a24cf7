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
          .map((one) => (one.type === "alternation" ? `(?:${write(one)})` : write(one)))
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
        const count =
          max === Infinity
            ? min === 0
              ? "*"
              : min === 1
                ? "+"
                : `{${min},}`
            : min === 0 && max === 1
              ? "?"
              : `{${min},${max}}`;
        const repeated = `${body}${count}${node.mode === "lazy" ? "?" : ""}`;
        return node.mode === "possessive" ? atomic(repeated) : repeated;
      }
    }
  };
  return write(tree);
}
