import { numbersAfter, type Change } from "../src/live/change";

export default [
  {
    label: "Remove the blocks",
    edits: [
      {
        find: [
          "    for (let j = 0; j < n; j += 4) {",
          "      let s0 = 0;",
          "      let s1 = 0;",
          "      let s2 = 0;",
          "      let s3 = 0;",
          "      let t0 = 0;",
          "      let t1 = 0;",
          "      let t2 = 0;",
          "      let t3 = 0;",
          "      for (let k = 0; k < n; k++) {",
          "        const at = k * n + j;",
          "        const x = a[i * n + k]!;",
          "        const y = a[(i + 1) * n + k]!;",
          "        const p = b[at]!;",
          "        const q = b[at + 1]!;",
          "        const r = b[at + 2]!;",
          "        const u = b[at + 3]!;",
          "        s0 += x * p;",
          "        s1 += x * q;",
          "        s2 += x * r;",
          "        s3 += x * u;",
          "        t0 += y * p;",
          "        t1 += y * q;",
          "        t2 += y * r;",
          "        t3 += y * u;",
          "      }",
          "      out.set([s0, s1, s2, s3], i * n + j);",
          "      out.set([t0, t1, t2, t3], (i + 1) * n + j);",
        ].join("\n"),
        replace: [
          "    for (let j = 0; j < n; j++) {",
          "      let s0 = 0;",
          "      let t0 = 0;",
          "      for (let k = 0; k < n; k++) {",
          "        const p = b[k * n + j]!;",
          "        s0 += a[i * n + k]! * p;",
          "        t0 += a[(i + 1) * n + k]! * p;",
          "      }",
          "      out[i * n + j] = s0;",
          "      out[(i + 1) * n + j] = t0;",
        ].join("\n"),
      },
    ],
    says: "“blocked” falls back toward “naive”, although the sums are the same: it now reads three numbers for two products.",
    // The example throws if a product differs from the naive one.
    outcome: ({ lines }) => numbersAfter(lines, "blocked ")[0]! > 0,
    timing: ({ lines }, before) =>
      numbersAfter(lines, "blocked ")[1]! <= numbersAfter(before.lines, "blocked ")[1]!,
  },
] satisfies readonly Change[];
