import { FormatError, packHalf, writeSafetensorsHeader, type SafetensorsDType } from "@qkv/core";
import { expect, test } from "vitest";
import { patchingView } from "./patching-view.js";
import { readViewFile } from "./view-file.js";

/** Written by Python with numpy, by the program of the guide *Pictures from Python*. */
const fromPython =
  "IAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6IHsiYXJncyI6ICJbe1wibmFtZXNcIjogW1wiYmxvY2tzLjAuaG9va196XCIsIFwiYmxvY2tzLjEuaG9va196XCJdLCBcInZhbHVlc1wiOiB7XCJ0ZW5zb3JcIjogXCJ2YWx1ZXNcIn0sIFwidW5wYXRjaGVkXCI6IDAsIFwic291cmNlXCI6IDJ9LCB7XCJjb2x1bW5OYW1lXCI6IFwiaGVhZFwiLCBcInRpdGxlXCI6IFwiUGF0Y2hlZCBoZWFkc1wifV0ifSwgInZhbHVlcyI6IHsiZHR5cGUiOiAiRjMyIiwgInNoYXBlIjogWzIsIDNdLCAiZGF0YV9vZmZzZXRzIjogWzAsIDI0XX19ICDNzMw9ZmZmPwAAwH8AAAA/AACAvgAAgD8=";
const text = (json: string) => new TextEncoder().encode(json);
const toBytes = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer);

/** A file with one tensor `x` of a type. */
function file(
  dtype: SafetensorsDType,
  data: Uint8Array,
  length: number,
  args = '[{"tensor":"x"}]',
): Uint8Array {
  const header = writeSafetensorsHeader([{ name: "x", dtype, shape: [length] }], { args });
  return new Uint8Array([...header, ...data]);
}

test("a file written by Python is drawn, with its missing heads", () => {
  const args = readViewFile(
    Uint8Array.from(atob(fromPython), (letter) => letter.charCodeAt(0)),
  ) as Parameters<typeof patchingView>;
  expect(args[0].values.shape).toEqual([2, 3]);
  const svg = patchingView(...args);
  expect(svg).toContain("blocks.1.hook_z, head 2: 0.5, metric 1<");
  expect(svg).toContain("blocks.0.hook_z, head 2: none<");
});

test("a JSON file is a list of arguments, with or without leading white space", () => {
  expect(readViewFile(text(' \n[{"data":[1],"shape":[1]},{"title":"a"}]'))).toEqual([
    { data: [1], shape: [1] },
    { title: "a" },
  ]);
  expect(readViewFile(text("[]").buffer)).toEqual([]);
});

test.each([
  ["F32", toBytes(Float32Array.of(1.5, -2))],
  ["F64", toBytes(Float64Array.of(1.5, -2))],
  ["F16", toBytes(packHalf([1.5, -2], "float16"))],
  ["BF16", toBytes(packHalf([1.5, -2], "bfloat16"))],
] as const)("numbers of %s are read", (dtype, data) => {
  const [x] = readViewFile(file(dtype, data, 2)) as [{ data: ArrayLike<number>; shape: number[] }];
  expect([Array.from(x.data), x.shape]).toEqual([[1.5, -2], [2]]);
});

test.each([
  ["I64", toBytes(BigInt64Array.of(3n, -2n)), [3, -2]],
  ["I32", toBytes(Int32Array.of(3, -2)), [3, -2]],
  ["I8", toBytes(Int8Array.of(3, -2)), [3, -2]],
  ["U8", Uint8Array.of(3, 2), [3, 2]],
  ["BOOL", Uint8Array.of(1, 0), [1, 0]],
] as const)("integers of %s are read", (dtype, data, expected) => {
  const [x] = readViewFile(file(dtype, data, 2)) as [{ data: ArrayLike<number> }];
  expect(Array.from(x.data)).toEqual(expected);
});

test("an object with more fields than `tensor` is unchanged", () => {
  const args = '[{"tensor":"x","title":"a"}]';
  expect(readViewFile(file("U8", Uint8Array.of(1), 1, args))).toEqual([{ tensor: "x", title: "a" }]);
});

test.each([
  ["no bytes", "[]" as never, /readViewFile: `bytes` is "\[\]"/],
  ["no JSON", text("[1,"), /`the file: args` is "\[1,", expected JSON of a list/],
  ["a damaged file", new Uint8Array(20), /the file: .*header/],
  [
    "a file without args",
    writeSafetensorsHeader([]),
    /`the file: __metadata__` is \[\], expected a text `args`/,
  ],
  [
    "args that are no list",
    file("U8", Uint8Array.of(1), 1, "{}"),
    /`the file: args` is "\{\}", expected JSON of a list/,
  ],
  [
    "another tensor's name",
    new Uint8Array([
      ...writeSafetensorsHeader([{ name: "weights", dtype: "U8", shape: [1] }], {
        args: '[{"tensor":"weight"}]',
      }),
      1,
    ]),
    /`the file: args` is "weight", expected a tensor of the file.\nFix: did you mean "weights"\?/,
  ],
  [
    "a type without numbers here",
    file("U64", new Uint8Array(8), 1),
    /`the file: x: dtype` is "U64".*\nFix: save the tensor as float32/,
  ],
])("%s is refused", (_, bytes, message) => {
  expect(() => readViewFile(bytes)).toThrow(message);
});

test("a damaged file is a FormatError", () => {
  expect(() => readViewFile(text("[1,"))).toThrow(FormatError);
});
