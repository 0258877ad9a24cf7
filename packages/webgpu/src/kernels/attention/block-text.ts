/** Queries, and keys, of a block that a workgroup of 64 threads multiplies, each thread four by four of them. */
export const blockSize = 32;
/** vec4s of a head's dimension that are in workgroup memory at once. */
const chunk = 8;
/** Row length in workgroup memory, in vec4s: `chunk` and one more, to avoid bank conflicts. */
export const pitch = 9;

/** Texts for 0 … n − 1, joined. */
export const each = (n: number, text: (i: number) => string, between = "\n") =>
  Array.from({ length: n }, (_, i) => text(i)).join(between);

/**
 * WGSL at the beginning of kernels whose workgroups compute 32 queries of a head: batch `b`, head `h`, key-value head `g` and
 * first query `t0`. A dispatch has a range of these units.
 */
export const queryBlockText = `let unit = p.firstUnit + id.y * 32768u + id.x;
  if (unit >= p.endUnit) { return; }
  let blocks = (p.T + ${blockSize - 1}u) / ${blockSize}u;
  let t0 = unit % blocks * ${blockSize}u;
  let h = unit / blocks % p.H;
  let b = unit / blocks / p.H;
  let g = h / p.group;`;

/** Workgroup memory for {@link dotsText} and {@link accumulateText}. */
export const sharedText = () =>
  `var<workgroup> tiles: array<vec4<f32>, ${Math.max(2 * chunk * 4 * pitch, blockSize * 16)}>;`;

/**
 * WGSL of a thread's dot products of 4 queries with 4 keys, one vec4 per query: `TO0` to `TO3`. Queries and keys are loaded
 * into workgroup memory in chunks of 32 numbers of the head.
 *
 * `first`, `second`: calls that read a vec4 of a query or a key, up to the row's index: `"query4(b, h, "`.
 */
export function dotsText({
  size,
  first,
  second,
  to,
}: {
  size: number;
  first: string;
  second: string;
  to: string;
}): string {
  const size4 = Math.ceil(size / 4);
  const half = chunk * 4 * pitch;
  const load = (line: string, start: string, end: string, at: number) => `{
        var m = mat4x4<f32>();
        let i = ${start} + (thread / 8u) * 4u;
        if (d < ${size4}u) {
          ${each(4, (r) => `if (i + ${r}u < ${end}) { m[${r}] = ${line}i + ${r}u, d); }`)}
        }
        m = transpose(m);
        ${each(4, (j) => `tiles[${at}u + ((thread % 8u) * 4u + ${j}u) * ${pitch}u + thread / 8u] = m[${j}];`)}
      }`;
  return `${each(4, (r) => `var ${to}${r} = vec4<f32>();`)}
    for (var c = 0u; c < ${size4}u; c += ${chunk}u) {
      let d = c + thread % 8u;
      ${load(first, "t0", "p.T", 0)}
      ${load(second, "keyStart", "p.S", half)}
      workgroupBarrier();
      for (var k = 0u; k < min(${4 * chunk}u, ${4 * size4}u - c * 4u); k++) {
        let x = tiles[k * ${pitch}u + ty];
        let y = tiles[${half}u + k * ${pitch}u + tx];
        ${each(4, (r) => `${to}${r} = fma(vec4<f32>(x[${r}]), y, ${to}${r});`)}
      }
      workgroupBarrier();
    }`;
}

/** vec4s per thread of a row of `size` numbers that 8 threads share. */
export const vec4sPerThread = (size: number) => Math.ceil(Math.ceil(size / 4) / 8);

/**
 * WGSL of TO += weights · rows, with up to 64 numbers of each row in workgroup memory at once. Thread (ty, tx) accumulates
 * output rows `4 ty` to `4 ty + 3`, of each the vec4s `tx`, `tx + 8`, …, in the variables `TO0` to `TO(4 columns − 1)`.
 *
 * @param row - Beginning of a call that reads a vec4, up to the row's index: `"value4(b, g, "`.
 * @param guarded - True if any row may be masked and contain NaN; false if only those of partly masked tiles may.
 */
export function accumulateText({
  size,
  to,
  row,
  first,
  end,
  guarded,
}: {
  size: number;
  to: string;
  row: string;
  first: string;
  end: string;
  guarded: boolean;
}): string {
  const size4 = Math.ceil(size / 4);
  const columns = vec4sPerThread(size);
  return each(Math.ceil(columns / 2), (part) => {
    const width = Math.min(2, columns - part * 2); // groups of 8 vec4s
    const add = (guards: boolean) =>
      each(
        width,
        (j) => `let v${j} = tiles[k * ${width * 8}u + tx + ${j * 8}u];
      ${each(4, (r) => {
        const sum = `${to}${r * columns + part * 2 + j}`;
        return guards
          ? `if (!(w[${r}] == 0.0)) { ${sum} += w[${r}] * v${j}; }`
          : `${sum} = fma(vec4<f32>(w[${r}]), v${j}, ${sum});`;
      })}`,
      );
    const loop = (guards: boolean) => `for (var k = 0u; k < ${blockSize}u; k++) {
      let w = weights[k * ${pitch}u + ty];
      ${add(guards)}
    }`;
    return `for (var i = thread; i < ${blockSize * width * 8}u; i += 64u) {
      let d = ${part * 16}u + i % ${width * 8}u;
      let s = ${first} + i / ${width * 8}u;
      var x = vec4<f32>();
      if (s < ${end} && d < ${size4}u) { x = ${row}s, d); }
      tiles[i] = x;
    }
    workgroupBarrier();
    // Masked rows may contain NaN, and 0 · NaN is NaN.
    ${guarded ? loop(true) : `if ((tile & 3u) == 2u) { ${loop(false)} } else { ${loop(true)} }`}
    workgroupBarrier();`;
  });
}

/** WGSL that stores the results of {@link accumulateText} in rows `FIRST + 4 ty` … `FIRST + 4 ty + 3` of a packed tensor. */
export function storeRowsText({
  size,
  to,
  output,
  head,
  first,
  end,
}: {
  size: number;
  to: string;
  output: string;
  /** WGSL of the index of batch and head. */
  head: string;
  first: string;
  end: string;
}): string {
  const columns = vec4sPerThread(size);
  return each(
    4,
    (r) => `if (${first} + ty * 4u + ${r}u < ${end}) {
    let at = (${head} * ${end} + ${first} + ty * 4u + ${r}u) * ${size}u;
    ${each(
      columns,
      (j) => `{
      let d = (tx + ${j * 8}u) * 4u;
      let x = ${to}${r * columns + j};
      ${each(4, (i) => `if (d + ${i}u < ${size}u) { ${output}[at + d + ${i}u] = x[${i}]; }`)}
    }`,
    )}
  }`,
  );
}

/** WGSL of `most` and `total`: maximum and sum over the 8 threads that share rows. */
export const reductionText = () => `var<workgroup> across: array<vec4<f32>, 64>;
fn most(x: vec4<f32>, thread: u32) -> vec4<f32> {
  across[thread] = x;
  workgroupBarrier();
  let first = thread & ~7u;
  var y = across[first];
  ${each(7, (i) => `y = max(y, across[first + ${i + 1}u]);`)}
  workgroupBarrier();
  return y;
}
fn total(x: vec4<f32>, thread: u32) -> vec4<f32> {
  across[thread] = x;
  workgroupBarrier();
  let first = thread & ~7u;
  var y = across[first];
  ${each(7, (i) => `y += across[first + ${i + 1}u];`)}
  workgroupBarrier();
  return y;
}`;
