import { check, print } from "@qkv/page";

// Score a head of weights[t][s], the weight of token t on token s: over all
// tokens that occurred before, the mean weight on what came after the copies.
const after = 1;
function score(weights: number[][], ids: number[]): number {
  let [sum, count] = [0, 0];
  ids.forEach((id, t) => {
    const copies: number[] = [];
    for (let s = 0; s < t; s++) if (ids[s] === id) copies.push(s);
    if (copies.length === 0) return;
    count += 1;
    for (const s of copies) sum += weights[t]![s]!;
  });
  return sum / count;
}

const ids = [5, 2, 7, 5, 2, 8, 5, 2, 7];
/** The weights of a head that divides its weight evenly over some places. */
const head = (looks: (t: number, copies: number[]) => number[]) =>
  ids.map((id, t) => {
    const copies = ids.slice(0, t).flatMap((one, s) => (one === id ? [s] : []));
    const at = copies.length > 0 ? looks(t, copies) : [t];
    const share = (s: number) =>
      at.filter((one) => one === s).length / at.length;
    return ids.map((_, s) => share(s));
  });
const scores = {
  induction: head((_, copies) => copies.map((s) => s + after)),
  copies: head((_, copies) => copies),
  first: head(() => [0]),
  half: head((t, copies) => [copies[0]! + after, t]),
  last: head((_, copies) => [copies.at(-1)! + after]),
};
const of = (name: keyof typeof scores) => score(scores[name], ids);
for (const name of Object.keys(scores))
  print(name, of(name as "half").toFixed(2));

const near = (x: number, wanted: number) => Math.abs(x - wanted) < 1e-9;
check(
  "a head that looks at the token after every copy scores 1",
  near(of("induction"), 1),
);
check(
  "a head that looks at the token after the last copy scores 1",
  near(of("last"), 1),
);
check("a head that looks at the copies scores 0", near(of("copies"), 0));
check("a head that looks at the first token scores 0", near(of("first"), 0));
check(
  "half of the weight on the token after the first copy scores 0.5",
  near(of("half"), 0.5),
);
