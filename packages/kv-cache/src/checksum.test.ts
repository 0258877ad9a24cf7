import { expect, test } from "vitest";
import { checksum } from "./checksum.js";

const bytes = (text: string) => new TextEncoder().encode(text);

test("golden: the check value of CRC-32, of one part and of several", () => {
  expect(checksum(bytes("123456789"))).toBe(0xcbf43926);
  expect(checksum(bytes("1234"), bytes(""), bytes("56789"))).toBe(0xcbf43926);
  expect(checksum()).toBe(0);
});
