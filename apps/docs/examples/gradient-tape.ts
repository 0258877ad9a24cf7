import { print, show } from "@qkv/page";
import { add, grad, mul, tanh, tensor, type Tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

// A step knows its inputs and its slope for each of them.
type Step = {
  name: string;
  value: number;
  from: [Step, number][];
  slope: number;
};
const tape: Step[] = [];
function note(name: string, value: number, from: Step["from"] = []) {
  const step = { name, value, from, slope: 0 };
  tape.push(step);
  return step;
}
const times = (name: string, a: Step, b: Step) =>
  note(name, a.value * b.value, [
    [a, b.value],
    [b, a.value],
  ]);
const plus = (name: string, a: Step, b: Step) =>
  note(name, a.value + b.value, [
    [a, 1],
    [b, 1],
  ]);
const squash = (name: string, a: Step) =>
  note(name, Math.tanh(a.value), [[a, 1 - Math.tanh(a.value) ** 2]]);

const [x, w, b] = [note("x", 0.5), note("w", -3), note("b", 2)];
const wx = times("w·x", w, x);
const y = squash("tanh(w·x + b)", plus("w·x + b", wx, b));

// Backward: each step passes on what it receives, times its slope.
y.slope = 1;
for (const { from, slope } of tape.toReversed())
  for (const [input, towards] of from) input.slope += slope * towards;
for (const { name, value } of tape) print(name.padEnd(14), value.toFixed(4));
const slopes = { data: tape.map(({ slope }) => slope), shape: [tape.length] };
const labels = tape.map(({ name }) => name);
show(bars(slopes, { title: "Slope of the result at each step", labels }));

// The same with tensors, in float64 like the numbers above.
const number = (value: number) => tensor(value, { dtype: "float64" });
type Point = { x: Tensor; w: Tensor; b: Tensor };
const slopesOf = grad(({ x, w, b }: Point) => tanh(add(mul(w, x), b)));
const got = slopesOf({ x: number(0.5), w: number(-3), b: number(2) });
print("grad gives x", got.x.data[0], "w", got.w.data[0], "b", got.b.data[0]);
for (const [a, c] of [
  [got.x, x],
  [got.w, w],
  [got.b, b],
] as const)
  if (!(Math.abs((a.data[0] ?? NaN) - c.slope) <= 1e-15))
    throw new Error("the two tapes differ");
