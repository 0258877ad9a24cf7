import { print, show } from "@qkv/page";
import {
  checkGradient,
  count,
  grad,
  js,
  matmul,
  mul,
  randn,
  softmax,
  stopGradient,
  sum,
  tensor,
  type Tensor,
  valueAndGrad,
  vjp,
} from "@qkv/tensor";
import { bars } from "@qkv/viz";

// Parameters can be nested in objects; the gradient has the same structure.
type Params = { w: Tensor; rest: { b: Tensor }[] };
const loss = valueAndGrad(({ w, rest }: Params) =>
  sum(mul(w, rest[0]?.b ?? w)),
);
const [value, slopes] = loss({
  w: tensor([1, 2]),
  rest: [{ b: tensor([3, 4]) }],
});
print(
  "value:",
  value.toNested(),
  "gradient:",
  slopes.w.toNested(),
  slopes.rest[0]?.b.toNested(),
);

// The gradient of a gradient: x³, 3x², 6x.
const cube = (x: Tensor) => sum(mul(x, mul(x, x)));
const second = grad((x: Tensor) => sum(grad(cube)(x)))(tensor([2]));
print("second derivative of x³ at 2:", second.data[0]);
if (second.data[0] !== 12)
  throw new Error("the second derivative should be 6x");

print(
  "half of x²:",
  grad((x) => sum(mul(x, stopGradient(x))))(tensor([5])).data,
);
print(
  "in a direction:",
  vjp((x) => mul(x, x), tensor([1, 2])).pullback(tensor([1, 10])).data,
);

// Check against central differences, which share no code with the gradient.
const f = (x: Tensor) => sum(mul(softmax(x), softmax(x)));
checkGradient(f, randn([3, 4], { seed: 1, dtype: "float64" }));

// Count what ran: the backward pass needs two products for each forward one.
const [a, b] = [randn([32, 64], { seed: 2 }), randn([64, 16], { seed: 3 })];
const forward = count(() => matmul(a, b));
const both = count(() =>
  grad((p: Tensor[]) => sum(matmul(p[0] ?? a, p[1] ?? b)))([a, b]),
);
const work = [forward.calls["matmul"] ?? 0, both.calls["matmul"] ?? 0];
show(
  bars(
    { data: work, shape: [2] },
    { title: "Calls of matmul", labels: ["forward pass", "with gradients"] },
  ),
);
if (work.join() !== "1,3") throw new Error("an unexpected number of calls");

// In a scope, only the returned tensors are kept.
const lost: Tensor[] = [];
const kept = js().scope(() => {
  lost.push(mul(a, 2));
  return mul(a, 3);
});
print("returned:", kept.shape);
let refusal = "";
try {
  print(lost[0]?.data);
} catch (error) {
  refusal = String(error);
}
print(refusal);
if (!refusal.includes("scope has ended"))
  throw new Error("the tensor should have been freed");
