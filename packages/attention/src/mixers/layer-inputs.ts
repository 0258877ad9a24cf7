import { nearestName, type Checks, knownNames } from "@qkv/core";
import { permute, reshape, type Tensor } from "@qkv/tensor";
import { defaultInputMap, learnedInputs, type InputMap, type LearnedInput } from "./input-maps.js";

/** An input of a mixer in a layer: a projection of x and its map, or a learned tensor. */
export type LayerInput = {
  readonly name: string;
  /** Axes besides batches and tokens: `[H]`, `[H, K]`, or `[n, H, K]` for n steps of each token. */
  readonly shape: readonly number[];
  /** True where the first of them counts steps. */
  readonly steps: boolean;
} & (
  | { readonly kind: "projected"; readonly map: InputMap }
  | { readonly kind: "learned"; readonly learned: LearnedInput }
);

type Sizes = {
  /** Lengths of axes by letter, H, K and V among them. */
  readonly axes: Readonly<Record<string, number>>;
  /** Heads of queries and keys. */
  readonly numKeyHeads: number;
  /** Maps that the caller gives. */
  readonly maps: Readonly<Record<string, InputMap>>;
};

type InputAxes = {
  readonly name: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly optional: Readonly<Record<string, string>>;
};

/** Inputs that a layer makes for a mixer: those that it needs, and the optional ones that have a map. */
export function layerInputs(
  check: Checks,
  mixer: InputAxes,
  { axes, numKeyHeads, maps }: Sizes,
): LayerInput[] {
  const all = { ...mixer.inputs, ...mixer.optional };
  for (const [name, map] of Object.entries(maps)) {
    if (!Object.hasOwn(all, name)) {
      const near = nearestName(name, Object.keys(all));
      const fix = near ? `did you mean \`${near}\`?` : "name an input of the mixer.";
      const expected = `maps of ${knownNames(name, Object.keys(all), `the definition of ${mixer.name}`)}, the inputs of ${mixer.name}`;
      check.refuse({ argument: "inputs", received: name, expected, fix });
    }
    const isMap =
      typeof map === "function" || typeof (map as { apply?: unknown } | null)?.apply === "function";
    const fix = "give a function of tensors, such as `sigmoid`, or a map, such as `softplusDecay()`.";
    check.each({ [`inputs.${name}`]: map }, () => isMap, "a function from tensor to tensor", fix);
  }
  const names = Object.keys(all).filter((name) => name in mixer.inputs || Object.hasOwn(maps, name));
  return names.map((name) => {
    const letters = all[name]!.split(" | ")[0]!.split(" ");
    const perToken = letters.some((letter) => letter === "T" || letter === "nT");
    const steps = letters.includes("nT");
    const shape = [...(steps ? ["n"] : []), ...letters.filter((letter) => !/^(B|n?T)$/.test(letter))].map(
      (letter) => {
        if (letter === "H") return name === "query" || name === "key" ? numKeyHeads : axes["H"]!;
        const length = axes[letter];
        if (length !== undefined) return length;
        const fix = `give its length: \`axes: { ${letter}: 4 }\`, if it does not depend on the number of tokens.`;
        const expected = `the length of axis ${letter} of \`${name}\`, which ${mixer.name} names`;
        return check.refuse({ argument: "axes", received: axes, expected, fix });
      },
    );
    if (!perToken) {
      const learned = Object.hasOwn(learnedInputs, name) ? learnedInputs[name] : undefined;
      return learned
        ? { name, shape, steps, kind: "learned", learned }
        : refuseUnknown(check, mixer.name, name);
    }
    const map = maps[name] ?? defaultInputMap(name, Object.keys(all));
    return map ? { name, shape, steps, kind: "projected", map } : refuseUnknown(check, mixer.name, name);
  });
}

function refuseUnknown(check: Checks, mixer: string, name: string): never {
  return check.refuse({
    argument: `inputs.${name}`,
    received: undefined,
    expected: `a map from a projection of x to \`${name}\`, which ${mixer} takes`,
    fix: "give a function of tensors: `inputs: { " + name + ": tanh }`.",
  });
}

/** `[B, T, H]`, `[B, T, H, K]` or `[B, T, n, H, K]` as mixers take it: heads first, and the steps of a token in a row. */
export function headsFirst(x: Tensor, { steps }: LayerInput): Tensor {
  const [B, T, ...shape] = x.shape as [number, number, ...number[]];
  const rows = steps ? reshape(x, [B, T * shape[0]!, ...shape.slice(1)]) : x;
  return permute(rows, rows.shape.length === 3 ? [0, 2, 1] : [0, 2, 1, 3]);
}
