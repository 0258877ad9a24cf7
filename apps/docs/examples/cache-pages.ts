import { attention } from "@qkv/attention";
import { growingCache, pagedCache, type KvCache } from "@qkv/kv-cache";
import { print, show, slider, textField } from "@qkv/page";
import { randn, tensor } from "@qkv/tensor";
import { cachePages } from "@qkv/viz";

const prompt = textField("both begin with", { value: "once upon a " });
const endings = [
  textField("the first goes on", { value: "time a cat" }),
  textField("the second goes on", { value: "hill" }),
];
const pageLength = slider("tokens of a page", { min: 1, max: 8, value: 4 });

// A token is a letter, and its key and value are its number: [B, Hkv, T, D].
const append = (cache: KvCache, text: string) => {
  const codes = [...text].map((letter) => letter.codePointAt(0) ?? 0);
  const x = tensor(codes, { shape: [1, 1, codes.length, 1] });
  return cache.update(0, x, x);
};
const cache = pagedCache({ pages: 16, pageLength });
append(cache, prompt);
const fork = cache.fork(); // nothing is copied yet

const caches = [cache, fork];
try {
  caches.forEach((own, i) => append(own, endings[i] ?? ""));
} catch (error) {
  print("No page is left, and nothing was lost.", String(error));
}
const texts = endings.map((ending, i) =>
  [...(prompt + ending)].slice(0, caches[i]?.length),
);
show(
  cachePages(
    {
      ...{ pages: cache.pages, pageLength },
      table: caches.flatMap(({ table }) => table),
      lengths: caches.map(({ length }) => length),
    },
    { labels: ["first", "second"], tokens: texts },
  ),
);

// Attention reads the pages where they are: the same bits as one buffer gives.
const query = randn([1, 1, 1, 1], { seed: 1 });
for (const [i, own] of caches.entries()) {
  const straight = growingCache();
  const read = append(straight, texts[i]?.join("") ?? "");
  const [a, b] = [own.read(0), read].map((held) => attention(query, held).data);
  if (String(a) !== String(b)) throw new Error("pages changed the numbers");
}
print("pages free:", cache.freePages, "of", cache.pages);
