import { check, choice, print, show } from "@qkv/page";
import { crossEntropy, slice, tensor, uniform, type Tensor } from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { taskLogits, visionTransformer } from "@qkv/transformer";
import { train } from "@qkv/transformer/training";
import { attentionMap, bars, lines } from "@qkv/viz";

// A picture of 12 by 12 pixels: noise, and in one of its nine patches a figure.
const figures = {
  plus: "0110 1111 1111 0110",
  cross: "1001 0110 0110 1001",
  ring: "1111 1001 1001 1111",
};
const labels = Object.keys(figures);
const [side, patch] = [12, 4];
const masks = Object.values(figures).map((text) => text.replaceAll(" ", ""));

/** Pixel values `[B, 3, 12, 12]`, the label of each picture, and the patch that it is in. */
function drawn(count: number, seed: number) {
  const size = 3 * side * side;
  const noise = uniform([count * (size + 2)], { seed }).data;
  const pixels = Float32Array.from(
    { length: count * size },
    (_, i) => Number(noise[i]) * 0.6,
  );
  const classes = new Int32Array(count);
  const places = new Int32Array(count);
  for (let b = 0; b < count; b++) {
    const label = Math.floor(Number(noise[count * size + 2 * b]) * 3);
    const place = Math.floor(Number(noise[count * size + 2 * b + 1]) * 9);
    classes[b] = label;
    places[b] = place;
    const [top, left] = [patch * Math.floor(place / 3), patch * (place % 3)];
    for (let i = 0; i < 16; i++) {
      if (masks[label]![i] === "0") continue;
      const at = b * size + (top + Math.floor(i / 4)) * side + left + (i % 4);
      pixels[at] = 1; // red
      pixels[at + side * side] = 0.8; // green
    }
  }
  const targets = tensor(classes, { dtype: "int32" });
  return {
    pixels: tensor(pixels, { shape: [count, 3, side, side] }),
    targets,
    places,
  };
}

/** The picture as SVG, with lines between its patches. */
function picture({ data }: Tensor): string {
  const byte = (x: unknown) => Math.round(255 * Math.min(1, Number(x)));
  const squares = Array.from({ length: side * side }, (_, i) => {
    const [r, g, b] = [0, 1, 2].map((c) => byte(data[c * side * side + i]));
    const [x, y] = [i % side, Math.floor(i / side)];
    return `<rect x="${12 * x}" y="${12 * y}" width="12" height="12" fill="rgb(${r} ${g} ${b})"/>`;
  });
  const cuts = [48, 96].map(
    (at) =>
      `<path d="M${at} 0V144M0 ${at}H144" stroke="white" stroke-width="2"/>`,
  );
  const title = "<title>A picture of 12 by 12 pixels in nine patches</title>";
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="144" height="144" viewBox="0 0 144 144">${title}${squares.join("")}${cuts.join("")}</svg>`;
}

// Each patch becomes one row: its 48 numbers times a matrix. A tenth row, the
// class token, is read at the end.
const model = visionTransformer({
  imageSize: side,
  patchSize: patch,
  embedDim: 24,
  hiddenDim: 48,
  numLayers: 2,
  numHeads: 2,
  normEps: 1e-6,
  head: { task: "image", labels },
});
const params = model.init(1);
const logitsOf = (p: typeof params, pixels: Tensor) =>
  taskLogits({ config: model.config, params: p }, model.apply(p, pixels));

const steps = 200;
const learningRate = warmupCosine({ peak: 0.005, warmupSteps: 20, steps });
const losses: number[] = [];
for await (const { loss } of train({
  params,
  loss: (p: typeof params, { pixels, targets }: ReturnType<typeof drawn>) =>
    crossEntropy(logitsOf(p, pixels), targets),
  optimizer: adam({ learningRate }),
  batchAt: (i) => drawn(32, 10 + i),
  steps,
}))
  losses.push(loss);
show(
  lines(
    { data: losses, shape: [1, steps] },
    { title: "loss, in nats", labels: ["ViT"] },
  ),
);

// New pictures. What does it see, and which patches does the class token read?
const test = drawn(64, 1);
const logits = logitsOf(params, test.pixels).data;
const answers = Array.from({ length: 64 }, (_, b) => {
  const own = [0, 1, 2].map((n) => Number(logits[3 * b + n]));
  return own.indexOf(Math.max(...own));
});
const right = answers.filter(
  (answer, b) => answer === test.targets.data[b],
).length;
print(`${right} of 64 new pictures have the right label`);

const asked = Number(choice("picture", ["0", "1", "2", "3"]));
const one = slice(test.pixels, 0, asked, asked + 1);
show(picture(one));
const exps = [0, 1, 2].map((n) => Math.exp(Number(logits[3 * asked + n])));
const total = exps.reduce((a, b) => a + b);
show(
  bars(
    { data: exps.map((x) => x / total), shape: [3] },
    { labels, title: "probability of each label", max: 1 },
  ),
);

// The row of the class token, without its weight for itself, as the grid of patches.
function lookOf(pixels: Tensor) {
  const tensors: Record<string, Tensor> = {};
  model.apply(params, pixels, { trace: { names: ["weights"], tensors } });
  return Array.from({ length: 9 }, (_, place) => {
    const weights = Object.values(tensors).flatMap(({ data, shape }) =>
      Array.from({ length: shape[1]! }, (_, h) =>
        Number(data[h * 100 + 1 + place]),
      ),
    );
    return weights.reduce((a, b) => a + b) / weights.length;
  });
}
const look = lookOf(one);
show(
  attentionMap(
    { data: look, shape: [3, 3] },
    { title: "mean weight of each patch, for the class token" },
  ),
);

// Is the patch with the figure the one that it reads most?
const hits = Array.from({ length: 64 }, (_, b) => {
  const weights = lookOf(slice(test.pixels, 0, b, b + 1));
  return weights.indexOf(Math.max(...weights)) === test.places[b];
}).filter(Boolean).length;
print(`the patch that is read most holds the figure in ${hits} of 64 pictures`);

check("it tells the figures apart", right >= 58);
check("it reads the patch with the figure", hits >= 48);
