import { checks } from "@qkv/core";
import {
  abs,
  add,
  broadcastTo,
  cast,
  clamp,
  div,
  equal,
  exp,
  floor,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reshape,
  sqrt,
  sub,
  take,
  tanh,
  tensor,
  where,
  type Tensor,
} from "@qkv/tensor";
import {
  evaluator,
  Expr,
  type Expression,
  type OperationName,
  type Step,
  firstQueryPosition,
  positionList,
  type PlanExtent,
} from "@qkv/attention-contract";

/** Evaluates an expression with tensor operations on scores `[B, H, T, S]`, so that gradients of every order exist. */
export function onTensors(
  { steps, lookedUp, tables }: Expression,
  score: Tensor,
  places: PlanExtent,
): Tensor {
  const values = new Map<Expr, Tensor>();
  const tableOf = (read: Tensor) => tables[lookedUp.indexOf(read)] ?? read;
  for (const expr of steps)
    values.set(
      expr,
      runStep(expr.step, (operand) => values.get(operand)!, tableOf, score, places),
    );
  return broadcastTo(values.get(steps.at(-1)!)!, score.shape);
}

const bool = (x: Tensor) => cast(x, "bool");
/** A bool tensor as 1 and 0 in the dtype of the compared tensor. */
const number = (truth: Tensor, { dtype }: Tensor) => cast(truth, dtype);

const onTensor: { readonly [Name in OperationName]: (a: Tensor, b: Tensor, c: Tensor) => Tensor } = {
  neg,
  abs,
  exp,
  log,
  tanh,
  sqrt,
  floor,
  not: (x) => number(equal(x, 0), x),
  add,
  sub,
  mul,
  div,
  min: minimum,
  max: maximum,
  pow,
  less: (a, b) => number(less(a, b), a),
  lessEqual: (a, b) => number(lessEqual(a, b), a),
  greater: (a, b) => number(greater(a, b), a),
  greaterEqual: (a, b) => number(greaterEqual(a, b), a),
  equal: (a, b) => number(equal(a, b), a),
  and: (a, b) => number(bool(mul(number(bool(a), a), number(bool(b), a))), a),
  or: (a, b) => number(bool(add(number(bool(a), a), number(bool(b), a))), a),
  where: (condition, a, b) => where(bool(condition), a, b),
};

function runStep(
  step: Step,
  of: (expr: Expr) => Tensor,
  tableOf: (read: Tensor) => Tensor,
  score: Tensor,
  places: PlanExtent,
): Tensor {
  const { dtype, device } = score;
  const numbers = (values: readonly number[], shape: readonly number[]) =>
    tensor(values, { shape, dtype, device });
  switch (step.kind) {
    case "number":
      return numbers([step.value], []);
    case "symbol": {
      const { batches, heads, queries, firstQuery, keyPositions: keys } = places;
      const range = (length: number, start = 0) => Array.from({ length }, (_, i) => start + i);
      if (step.name === "score") return score;
      if (step.name === "batch") return numbers(range(batches), [batches, 1, 1, 1]);
      if (step.name === "head") return numbers(range(heads), [heads, 1, 1]);
      if (step.name === "query") {
        const first = typeof firstQuery === "number" ? [firstQuery] : [...firstQuery];
        return numbers(
          first.flatMap((start) => range(queries, start)),
          [first.length, 1, queries, 1],
        );
      }
      const S = keys[0]!.length;
      const byHead = keys.length > batches;
      // If key-value heads differ, each query head has its own list.
      const lists = byHead
        ? range(batches * heads).map((n) => keys[Math.floor((n * keys.length) / (batches * heads))]!)
        : keys;
      return numbers(
        lists.flatMap((list) => [...list]),
        byHead ? [batches, heads, 1, S] : [keys.length, 1, 1, S],
      );
    }
    case "operation":
      return onTensor[step.name](...(step.operands.map(of) as [Tensor, Tensor, Tensor]));
    case "lookup": {
      const { indices } = step;
      const table = tableOf(step.table);
      let place = tensor(0, { dtype: "int32", device });
      indices.forEach((index, axis) => {
        const length = table.shape[axis]!;
        place = add(mul(place, length), clamp(cast(of(index), "int32"), { min: 0, max: length - 1 }));
      });
      return take(reshape(table, [-1]), 0, place);
    }
    case "dropoutMask": {
      // Dropout masks have no gradient: they are computed by the plain evaluator.
      const [B, H, T, S] = score.shape as [number, number, number, number];
      const { firstQuery, keyPositions: keys } = places;
      const { at, rate, seed } = step;
      const run = evaluator(
        {
          steps: [at.batch, at.head, at.query, at.key, new Expr({ ...step, at, rate, seed })],
          lookedUp: [],
          tables: [],
        },
        S,
      );
      const factors: number[] = [];
      for (let n = 0; n < B * H * T; n++) {
        const [batch, head] = [Math.floor(n / (H * T)), Math.floor(n / T) % H];
        const kvHead = Math.floor((head * keys.length) / (B * H));
        const key = keys[positionList(keys.length, B, batch, kvHead)]!;
        factors.push(
          ...run.forward({
            score: new Float64Array(S),
            key,
            batch,
            head,
            query: firstQueryPosition(firstQuery, batch) + (n % T),
            length: S,
          }),
        );
      }
      return numbers(factors, score.shape);
    }
    case "call":
      return checks("plainAttention").refuse({
        argument: "scoreMod",
        received: "a function of numbers (scoreModFunction)",
        expected: "arithmetic on symbols, which tensors can follow",
        fix: "write it with `scoreMod((score, at) => …)`.",
      });
  }
}
