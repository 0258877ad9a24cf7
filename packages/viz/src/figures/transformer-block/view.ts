import type { Row } from "./row.js";
import type { Chosen, TransformerBlockModel } from "./model.js";

/** The view of a step: the whole model or a block, the expanded part, and the rows that are drawn. */
export type View = {
  zoom: "model" | "block";
  /** Key of the expanded row. */
  open?: string;
  /** True if one head is expanded. */
  head?: boolean;
  /** Keys of the rows that the step explains. Default: all. */
  lit?: readonly string[];
  /** True if the step explains only the tokens. */
  tokens?: boolean;
  /** The numbers that the step explains: a column, or the next tokens. */
  speaks?: "next" | "logits";
  seen(kind: Row["kind"], k: number): boolean;
};

/** The view of a step. */
export function stepView(model: TransformerBlockModel, { l }: Chosen, id: string): View {
  const all = () => true;
  const L = model.blocks.length;
  // Order of the rows of a block and of the model.
  const order = (kind: Row["kind"], k: number) =>
    3 * (k - 2 * l) + { norm: 0, attention: 1, mlp: 1, stream: -1, embedding: 0, final: 0, logit: 0 }[kind];
  const upTo = (last: number) => (kind: Row["kind"], k: number) => order(kind, k) <= last;
  const block = (seen: View["seen"], more: Partial<View> = {}): View => ({ zoom: "block", seen, ...more });
  const whole = (more: Partial<View> = {}): View => ({ zoom: "model", seen: all, ...more });
  const [first, second] = [2 * l, 2 * l + 1];
  switch (id) {
    case "tokens":
      return whole({ seen: () => false, tokens: true });
    case "embed":
      return whole({ seen: (kind) => kind === "embedding", lit: ["embedding:0"] });
    case "stream":
      return whole({ seen: (kind) => kind === "embedding" });
    case "enter":
      return block(upTo(-1), { lit: [`stream:${first}`] });
    case "norm-1":
      return block(upTo(0), { open: `norm:${first}`, lit: [`stream:${first}`, `norm:${first}`] });
    case "heads":
      return block(upTo(1), { open: `attention:${first}`, lit: [`norm:${first}`, `attention:${first}`] });
    case "head":
      return block(upTo(1), { open: `attention:${first}`, head: true, lit: [`attention:${first}`] });
    case "attention":
      return block(upTo(1), { lit: [`attention:${first}`] });
    case "add-1":
      return block(upTo(2), { lit: [`stream:${first}`, `attention:${first}`, `stream:${second}`] });
    case "norm-2":
      return block(upTo(3), { open: `norm:${second}`, lit: [`stream:${second}`, `norm:${second}`] });
    case "mlp":
      return block(upTo(4), { open: `mlp:${second}`, lit: [`norm:${second}`, `mlp:${second}`] });
    case "mlp-write":
      return block(upTo(4), { lit: [`mlp:${second}`] });
    case "block":
      return block(all);
    case "blocks":
      return whole({ seen: (kind) => kind !== "final" && kind !== "logit" });
    case "final-norm":
      return whole({ seen: (kind) => kind !== "logit", lit: [`stream:${2 * L}`, `final:${2 * L}`] });
    case "logits":
      return whole({ lit: [`final:${2 * L}`, "logit:0"] });
    case "probabilities":
      return whole({ lit: ["logit:0"], speaks: "next" });
    case "contributions":
      return whole({ speaks: "logits" });
    default:
      return whole();
  }
}
