import { print, show } from "@qkv/page";
import { add, grad, mul, sum, tanh, tensor, type Tensor } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const at = (w: number) => tensor([w], { dtype: "float64" });
const f = (w: Tensor) => sum(tanh(add(mul(w, 0.5), 2)));
const slope = grad(f)(at(-3)).data[0] ?? NaN;

// Move a little to both sides and measure how much f changes.
function measured(h: number) {
  const [right = NaN] = f(at(-3 + h)).data;
  const [left = NaN] = f(at(-3 - h)).data;
  return (right - left) / (2 * h);
}
const exponents = Array.from({ length: 25 }, (_, i) => -12 + i / 2);
const errors = exponents.map((e) => Math.abs(measured(10 ** e) - slope));
const digits = errors.map((error) => -Math.log10(error + 1e-17));

show(
  lines(
    { data: digits, shape: [digits.length] },
    {
      x: { data: exponents, shape: [exponents.length] },
      title: "Correct digits of central differences",
      xLabel: "step h, as a power of 10",
      yLabel: "digits",
    },
  ),
);
const best = digits.indexOf(Math.max(...digits));
print("grad:", slope, " central differences:", measured(1e-5));
print(`most accurate step: 10^${exponents[best]}`);

if (!(Math.abs(measured(1e-5) - slope) <= 1e-9))
  throw new Error("grad and central differences disagree");
if ((digits.at(0) ?? 0) > 6 || (digits.at(-1) ?? 0) > 3)
  throw new Error("a step that is far too small or too large did not hurt");
