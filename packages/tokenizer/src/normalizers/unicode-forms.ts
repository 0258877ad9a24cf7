import { newerCharacters } from "../characters/newer-characters.js";
import { defineNormalizer, type Edit, type Normalizer } from "./normalizer.js";

/** Unicode's normal form C: composed characters. */
export const nfc: Normalizer = /* @__PURE__ */ unicodeForm("NFC");
/** Unicode's normal form D: decomposed: letters and combining marks. */
export const nfd: Normalizer = /* @__PURE__ */ unicodeForm("NFD");
/** As {@link nfc}, with compatibility mappings: `ﬁ` becomes `fi`, `²` becomes `2`. */
export const nfkc: Normalizer = /* @__PURE__ */ unicodeForm("NFKC");
/** As {@link nfd}, with compatibility mappings. */
export const nfkd: Normalizer = /* @__PURE__ */ unicodeForm("NFKD");

type Form = "NFC" | "NFD" | "NFKC" | "NFKD";

function unicodeForm(form: Form): Normalizer {
  return defineNormalizer(
    form,
    function (text) {
      const edits: Edit[] = [];
      let joined = ""; // the normalized clusters
      for (const { index, 0: cluster } of text.matchAll(clusters)) {
        const normal = normalized(cluster, form);
        if (normal !== cluster) edits.push(...clusterEdits(cluster, normal, index, form));
        joined += normal;
      }
      // A form may reach over clusters in rare scripts; then the whole text is one edit.
      const normal = normalized(text, form);
      return normal === joined ? edits : [[0, text.length, normal]];
    },
    { apply: (text) => normalized(text, form), json: { type: form } },
  );
}

/** A character with the marks after it; Hangul's vowels and finals go with their consonant. */
const clusters = /[^][\p{M}\u1161-\u1175\u11A8-\u11C2\uFF9E\uFF9F]*/gu;

/** The finest possible edits: by character, or, if marks are reordered, the letter and then its marks. */
function clusterEdits(cluster: string, normal: string, start: number, form: Form): Edit[] {
  const characters = [...cluster];
  const normals = characters.map((character) => normalized(character, form));
  if (normals.join("") === normal) {
    let at = start;
    return characters.flatMap((character, i): Edit[] => {
      const from = at;
      at += character.length;
      return normals[i] === character ? [] : [[from, at, normals[i]!]];
    });
  }
  // Marks may only have been reordered.
  const result = [...normal];
  if (result.length === characters.length) {
    let at = start;
    return characters.map((character, i): Edit => [at, (at += character.length), result[i]!]);
  }
  // Otherwise the letter, with the marks composed into it, and then the remaining marks.
  const letter = form.endsWith("D") ? String.fromCodePoint(normals[0]!.codePointAt(0)!) : "";
  if (letter !== "" && normal.startsWith(letter)) {
    const middle = start + characters[0]!.length;
    return [
      [start, middle, letter],
      [middle, start + cluster.length, normal.slice(letter.length)],
    ];
  }
  const composed = result;
  while (composed.length > 1 && characters.length > 1 && composed.at(-1) === characters.at(-1)) {
    composed.pop();
    characters.pop();
  }
  const middle = start + characters[0]!.length;
  return [
    [start, middle, composed.join("")],
    [middle, start + characters.join("").length, ""],
  ];
}

/**
 * The form of a text, but for characters newer than the tables of Hugging Face's library: they are not changed or
 * moved, and other marks are not reordered across them.
 */
function normalized(text: string, form: Form): string {
  if (!isNewer(text)) return text.normalize(form);
  const parts: string[] = [];
  let known = "";
  for (const character of text) {
    if (isNewer(character)) {
      parts.push(known.normalize(form), character);
      known = "";
    } else known += character;
  }
  return parts.join("") + known.normalize(form);
}

const isNewer = (text: string) => newerCharacters.decomposed.test(text) || newerCharacters.marks.test(text);
