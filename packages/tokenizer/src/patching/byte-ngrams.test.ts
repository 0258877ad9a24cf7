import fc from "fast-check";
import { expect, test } from "vitest";
import { countByteNgrams, readByteNgrams, writeByteNgrams, type ByteNgrams } from "./byte-ngrams.js";

const utf8 = new TextEncoder();
const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "é"), maxLength: 40 });

/** Each string of the tree with its count, the empty one first. */
function strings({ bytes, counts, first, children }: ByteNgrams): [string, number][] {
  const names = [""];
  for (let node = 0; node < bytes.length; node++) {
    for (let child = first[node]!; child < first[node]! + children[node]!; child++) {
      names[child] = names[node]! + String.fromCharCode(bytes[child]!);
    }
  }
  return names.map((name, node) => [name, counts[node]!]);
}

/** The definition: look for each string at each place. */
function countPlainly(bytes: Uint8Array, order: number): [string, number][] {
  const all = String.fromCharCode(...bytes);
  const counts = new Map<string, number>();
  for (let length = 1; length <= order + 1; length++) {
    for (let at = 0; at + length <= all.length; at++) {
      const string = all.slice(at, at + length);
      counts.set(string, (counts.get(string) ?? 0) + 1);
    }
  }
  const kept = [...counts].filter(([, count]) => count > 1);
  return [["", bytes.length], ...kept.sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))];
}

test("property: n-grams and counts equal those of a brute-force count at each position", () => {
  fc.assert(
    fc.property(text, fc.nat(4), (text, order) => {
      const bytes = utf8.encode(text);
      expect(strings(countByteNgrams(bytes, order))).toEqual(countPlainly(bytes, order));
    }),
  );
});

test("property: a file restores the written counts, and is no larger than maxBytes", () => {
  fc.assert(
    fc.property(text, fc.nat(4), fc.integer({ min: 8, max: 200 }), (text, order, maxBytes) => {
      const tree = countByteNgrams(utf8.encode(text), order);
      expect(readByteNgrams(writeByteNgrams(tree, 10_000))).toEqual(tree);
      const file = writeByteNgrams(tree, maxBytes);
      expect(file.length).toBeLessThanOrEqual(maxBytes);
      // What is left out occurs less often than all that is kept.
      const kept = strings(readByteNgrams(file));
      const all = strings(tree);
      const least = Math.min(...kept.slice(1).map(([, count]) => count));
      expect(kept).toEqual(all.filter(([name, count]) => name === "" || count >= least));
    }),
  );
});

test("a maxBytes below the smallest file is refused", () => {
  expect(() => writeByteNgrams(countByteNgrams(utf8.encode("aa"), 1), 7)).toThrow(
    "trainByteNgrams: `maxBytes` is 7, expected 8 or more.",
  );
});

test("damaged files are refused, with the field named", () => {
  const file = writeByteNgrams(countByteNgrams(utf8.encode("abab"), 1), 1000);
  expect([...file]).toEqual([...utf8.encode("qkvb"), 1, 1, 4, 2, 97, 2, 98, 2, 1, 98, 2, 0]);
  const changed = (at: number, byte: number) => readByteNgrams(file.with(at, byte));
  const damages: [() => unknown, string][] = [
    [() => readByteNgrams(file.subarray(0, 3)), 'byte counts: magic` is "", expected "qkvb"'],
    [() => changed(0, 0), 'byte counts: magic` is "\\u0000kvb"'],
    [() => changed(4, 9), "byte counts: version` is 9, expected 1"],
    [() => changed(5, 99), "byte counts: order` is 99, expected at most 15"],
    [() => changed(9, 0), "byte counts: nodes[1].count` is 0, expected 1 to 4, the count of its prefix"],
    [() => changed(10, 97), "byte counts: nodes[2].byte` is 97, expected more than 97"],
    [() => readByteNgrams(file.subarray(0, -1)), 'byte counts: nodes` is "0 bytes'],
    [() => readByteNgrams(Uint8Array.of(...file, 0)), 'byte counts: end` is "1 more bytes"'],
    [
      () => readByteNgrams(Uint8Array.of(...file.subarray(0, 7), 0x81, 2)),
      "byte counts: nodes[0].children` is 257",
    ],
    [
      () => readByteNgrams(Uint8Array.of(...file.subarray(0, 6), ...Array(9).fill(255))),
      "byte counts: length` is",
    ],
  ];
  for (const [read, message] of damages) expect(read).toThrow(message);
});
