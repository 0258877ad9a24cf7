import { expect, test } from "vitest";
import { tensor } from "../create.js";
import { adam, adamW } from "./adam.js";

// Expected numbers are from PyTorch 2.6. The second mean square is smaller than the first, so that keeping the largest changes them.
test.each([
  ["adam", adam, [0.8102294990135551, -1.9986406959838383], [0.7650576954231696, -1.9816126306529955]],
  ["adamW", adamW, [0.7879949931923166, -1.9457835639409917], [0.7470239431462407, -1.9308301315293432]],
] as const)("amsgrad keeps the largest mean square of %s", (_, make, largest, latest) => {
  for (const [amsgrad, expected] of [
    [true, largest],
    [false, latest],
  ] as const) {
    const param = tensor([1, -2], { dtype: "float64" });
    const optimizer = make({ learningRate: 0.1, betas: [0.9, 0.5], weightDecay: 0.1, amsgrad });
    const state = optimizer.init(param);
    for (const gradient of [
      [3, 0.5],
      [0.1, -4],
      [-1, 0.2],
    ]) {
      optimizer.update(param, tensor(gradient, { dtype: "float64" }), state);
    }
    expected.forEach((value, i) => expect(param.data[i]).toBeCloseTo(value, 12));
  }
});
