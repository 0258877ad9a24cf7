import { prefixCache } from "@qkv/kv-cache";
import { print, show, textField } from "@qkv/page";
import { tensor } from "@qkv/tensor";
import { cachePages } from "@qkv/viz";

const first = textField("first request", { value: "you are kind. who is it?" });
const second = textField("next request", {
  value: "you are kind. how far?",
});

const cache = prefixCache({ pages: 18, pageLength: 4 });
const idsOf = (text: string) =>
  [...text].map((letter) => letter.codePointAt(0) ?? 0);

function ask(text: string) {
  const ids = idsOf(text);
  const known = cache.matchPrefix(ids); // tokens that are cached already
  const rest = ids.slice(known);
  const x = tensor(rest, { shape: [1, 1, rest.length, 1] });
  if (rest.length > 0) cache.update(0, x, x); // a model computes only these
  cache.insertPrefix(ids);
  print(`"${text}": ${known} tokens reused, ${rest.length} computed`);
  return cache.table[0] ?? [];
}

const whole = Math.floor([...first].length / cache.pageLength);
const remembered = ask(first).slice(0, whole);
const pages = ask(second);
const { pageLength } = cache;
show(
  cachePages(
    {
      ...{ pages: cache.pages, pageLength },
      table: [pages],
      lengths: [cache.length],
    },
    { labels: ["now"], tokens: [[...second]], remembered },
  ),
);

// Whole pages that agree from the first letter on are never computed twice.
let shared = 0;
while (shared < first.length && first[shared] === second[shared]) shared += 1;
const most = Math.min(shared, Math.max(0, [...second].length - 1));
const expected = Math.min(Math.floor(most / pageLength), whole) * pageLength;
const known = remembered.filter((page) => pages.includes(page)).length;
if ([...first].length === first.length && known * pageLength !== expected)
  throw new Error(`${known} pages shared, expected ${expected / pageLength}`);
