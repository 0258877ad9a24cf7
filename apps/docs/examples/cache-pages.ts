import { attention } from "@qkv/attention";
import { growingCache, pagedCache, type KvCache } from "@qkv/kv-cache";
import { print, show, slider, textField } from "@qkv/page";
import { randn, tensor } from "@qkv/tensor";
import { cachePages } from "@qkv/viz";

const prompt = textField("both texts begin with", { value: "once upon a " });
const endings = [
  textField("the first continues", { value: "time a cat" }),
  textField("the second continues", { value: "hill" }),
];
const pageLength = slider("tokens per page", { min: 1, max: 8, value: 4 });

// Each letter is a token; its key and its value are its code: [B, Hkv, T, D].
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
  print("No free page is left. Nothing was lost.", String(error));
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

// Attention reads the pages in place and gives the same bits as one buffer.
const query = randn([1, 1, 1, 1], { seed: 1 });
for (const [i, own] of caches.entries()) {
  const straight = growingCache();
  const read = append(straight, texts[i]?.join("") ?? "");
  const [a, b] = [own.read(0), read].map((held) => attention(query, held).data);
  if (String(a) !== String(b)) throw new Error("pages changed the result");
}
print("pages free:", cache.freePages, "of", cache.pages);
