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

// Tensors may be nested in any object; the gradient is nested the same way.
type Params = { w: Tensor; rest: { b: Tensor }[] };
const loss = valueAndGrad(({ w, rest }: Params) =>
  sum(mul(w, rest[0]?.b ?? w)),
);
const [value, slopes] = loss({
  w: tensor([1, 2]),
  rest: [{ b: tensor([3, 4]) }],
});
print(
  "value",
  value.toNested(),
  "slopes",
  slopes.w.toNested(),
  slopes.rest[0]?.b.toNested(),
);

// A gradient of a gradient: x³, 3x², 6x.
const cube = (x: Tensor) => sum(mul(x, mul(x, x)));
const second = grad((x: Tensor) => sum(grad(cube)(x)))(tensor([2]));
print("second slope of x³ at 2:", second.data[0]);
if (second.data[0] !== 12) throw new Error("not 6x");

print(
  "half of x²:",
  grad((x) => sum(mul(x, stopGradient(x))))(tensor([5])).data,
);
print(
  "in a direction:",
  vjp((x) => mul(x, x), tensor([1, 2])).pullback(tensor([1, 10])).data,
);

// Central differences, which share no code with the gradient.
const f = (x: Tensor) => sum(mul(softmax(x), softmax(x)));
checkGradient(f, randn([3, 4], { seed: 1, dtype: "float64" }));

// What ran, counted: backwards costs two products for each one forwards.
const [a, b] = [randn([32, 64], { seed: 2 }), randn([64, 16], { seed: 3 })];
const forward = count(() => matmul(a, b));
const both = count(() =>
  grad((p: Tensor[]) => sum(matmul(p[0] ?? a, p[1] ?? b)))([a, b]),
);
const work = [forward.calls["matmul"] ?? 0, both.calls["matmul"] ?? 0];
show(
  bars(
    { data: work, shape: [2] },
    { title: "Calls of matmul", labels: ["forwards", "with gradients"] },
  ),
);
if (work.join() !== "1,3") throw new Error("other calls than expected");

// In a scope, only what is returned lives on.
const lost: Tensor[] = [];
const kept = js().scope(() => {
  lost.push(mul(a, 2));
  return mul(a, 3);
});
print("kept", kept.shape);
let refusal = "";
try {
  print(lost[0]?.data);
} catch (error) {
  refusal = String(error);
}
print(refusal);
if (!refusal.includes("scope has ended")) throw new Error("it is still there");
