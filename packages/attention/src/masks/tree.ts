import { checks, isList } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

const fix = "number nodes so that parents come first: [-1, 0, 0] is one draft token with two continuations.";
const check = /* @__PURE__ */ checks("tree", { argument: "parents", fix });

/**
 * Tree attention for speculative decoding: the last positions are the nodes of a tree of draft tokens, and a node sees its ancestors,
 * itself, and all tokens before the tree. One call thus verifies several continuations, each as if it were the only one.
 *
 * Tokens before the tree attend to each other causally. Nodes of the same depth have the same position in the text, which must be
 * passed to {@link rope} as `positions`.
 *
 * @param parents - Index of the parent of each node: an earlier node, or -1 for a child of the last token before the tree.
 * @throws {ArgumentError} If a parent does not come before its child, or there are more nodes than positions.
 * @see "SpecInfer" (2023), arXiv:2305.09781, section 4.2; "Medusa" (2024), arXiv:2401.10774, section 2.1.2
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, tree } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 4, 2]); // one token of text, two draft tokens, and one that follows the second draft token
 * [...attentionWeights(x, x, { mask: tree([-1, -1, 1]) }).data.slice(8, 12)]; // => [0.5, 0, 0.5, 0]
 * ```
 */
export function tree(parents: ArrayLike<number>): Mask {
  if (!isList(parents)) check.refuse({ received: parents, expected: "a list with the parent of each node" });
  const parentOf = Array.from(parents);
  const wrong = parentOf.findIndex(
    (parent, node) => !Number.isInteger(parent) || parent < -1 || parent >= node,
  );
  if (wrong >= 0) {
    const expected = `a node before node ${wrong}, or -1, as the parent of node ${wrong}`;
    check.refuse({ received: parentOf[wrong], expected });
  }
  const { order, size } = preorder(parentOf);
  return defineMask({
    name: `tree([${parentOf.join(", ")}])`,
    bind({ keyLength }) {
      const root = keyLength - parentOf.length;
      if (root < 0) {
        check.refuse({ received: `${parentOf.length} nodes`, expected: `at most S = ${keyLength} of them` });
      }
      return {
        sees(query, key) {
          if (query >= keyLength || key > query) return false;
          if (key < root) return true;
          const [node, ancestor] = [query - root, key - root];
          const distance = order[node]! - order[ancestor]!;
          return distance >= 0 && distance < size[ancestor]!;
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

/**
 * The pre-order index of each node, and the size of its subtree, itself included. The descendants of a node have the `size - 1`
 * indices after its own.
 */
function preorder(parents: readonly number[]): { order: Int32Array; size: Int32Array } {
  const size = new Int32Array(parents.length).fill(1);
  for (let node = parents.length - 1; node >= 0; node--) {
    if (parents[node]! >= 0) size[parents[node]!]! += size[node]!;
  }
  const order = new Int32Array(parents.length);
  const nextChild = new Int32Array(parents.length); // the index of the next child of each node
  let nextRoot = 0;
  parents.forEach((parent, node) => {
    order[node] = parent < 0 ? nextRoot : nextChild[parent]!;
    if (parent < 0) nextRoot += size[node]!;
    else nextChild[parent]! += size[node]!;
    nextChild[node] = order[node]! + 1;
  });
  return { order, size };
}
