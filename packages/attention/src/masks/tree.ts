import { checks, isList } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

const fix = "number nodes so that parents come first: [-1, 0, 0] is one draft token with two continuations.";
const check = /* @__PURE__ */ checks("tree", { argument: "parents", fix });

/**
 * Several continuations in one call: the last positions are nodes of a tree, and a node sees its ancestors, itself,
 * and all that stands before the tree. So a drafting model's guesses are checked at once: each path is attended as if
 * it were the only one.
 *
 * Tokens before the tree see each other causally. Nodes of one depth share a position in the text: give it to
 * {@link rope} as `positions`.
 *
 * @param parents - For each node the number of its parent, an earlier node, or -1 where the text itself is the parent.
 * @throws {ArgumentError} If a parent does not come before its child, or there are more nodes than positions.
 * @see "SpecInfer" (2023), arXiv:2305.09781, section 4.2; "Medusa" (2024), arXiv:2401.10774, section 2.1.2
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, tree } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 4, 2]); // one token of text, then two guesses, then one that follows the second guess
 * [...attentionWeights(x, x, { mask: tree([-1, -1, 1]) }).data.slice(8, 12)]; // => [0.5, 0, 0.5, 0]
 * ```
 */
export function tree(parents: ArrayLike<number>): Mask {
  if (!isList(parents)) check.refuse({ received: parents, expected: "a list with the parent of each node" });
  const own = Array.from(parents);
  const wrong = own.findIndex((parent, node) => !Number.isInteger(parent) || parent < -1 || parent >= node);
  if (wrong >= 0) {
    const expected = `a node before node ${wrong}, or -1, as the parent of node ${wrong}`;
    check.refuse({ received: own[wrong], expected });
  }
  const { enter, size } = numbered(own);
  return defineMask({
    name: `tree([${own.join(", ")}])`,
    bind({ keyLength }) {
      const root = keyLength - own.length;
      if (root < 0) {
        check.refuse({ received: `${own.length} nodes`, expected: `at most S = ${keyLength} of them` });
      }
      return {
        sees(query, key) {
          if (query >= keyLength || key > query) return false;
          if (key < root) return true;
          const [node, ancestor] = [query - root, key - root];
          const steps = enter[node]! - enter[ancestor]!;
          return steps >= 0 && steps < size[ancestor]!;
        },
        tile: (query, key) =>
          key.first > query.last || query.first >= keyLength
            ? "none"
            : key.last < root && key.last <= query.first && query.last < keyLength
              ? "all"
              : "some",
      };
    },
  });
}

/** Nodes numbered so that each one's descendants follow it without gaps: `enter` and how many, itself included. */
function numbered(parents: readonly number[]): { enter: Int32Array; size: Int32Array } {
  const size = new Int32Array(parents.length).fill(1);
  for (let node = parents.length - 1; node >= 0; node--) {
    if (parents[node]! >= 0) size[parents[node]!]! += size[node]!;
  }
  const enter = new Int32Array(parents.length);
  const next = new Int32Array(parents.length); // where the next child of a node enters
  let nextRoot = 0;
  parents.forEach((parent, node) => {
    enter[node] = parent < 0 ? nextRoot : next[parent]!;
    if (parent < 0) nextRoot += size[node]!;
    else next[parent]! += size[node]!;
    next[node] = enter[node]! + 1;
  });
  return { enter, size };
}
