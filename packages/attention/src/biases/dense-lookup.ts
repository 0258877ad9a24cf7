import { lookup, type Expr, type Places, type ScoreIndices } from "@qkv/attention-contract";
import { tensor, type Tensor } from "@qkv/tensor";

/**
 * Looks up the number of each pair in a table that is broadcastable to `[B, H, T, S]`. Columns are stored keys if the keys have no gaps,
 * else positions.
 */
export function denseLookup(
  table: Tensor,
  { positions, firstQuery }: Pick<Places, "positions" | "firstQuery">,
): (at: ScoreIndices) => Expr {
  const { shape, dtype, device } = table;
  const firstKey = "start" in positions ? positions.start : 0;
  const first = typeof firstQuery === "number" ? firstQuery : tensor(firstQuery, { dtype, device });
  return (at) => {
    const places = [
      () => at.batch,
      () => at.head,
      () => at.query.sub(typeof first === "number" ? first : lookup(first, at.batch)),
      () => at.key.sub(firstKey),
    ].slice(4 - shape.length);
    return lookup(table, ...shape.map((length, axis) => (length === 1 ? 0 : places[axis]!())));
  };
}
