import { check, print } from "@qkv/page";

// Change this text.
const text = "the cat sat . the cat ran .";

const words = text.split(/\s+/).filter(Boolean);
const followers = (word: string) =>
  words.filter((_, i) => words[i - 1] === word);
const chance = (word: string, next: string) =>
  followers(word).filter((one) => one === next).length / followers(word).length;
for (const next of new Set(followers("the")))
  print("after “the”:", next, chance("the", next));

check(
  "after “the”, “cat” comes half of the time",
  chance("the", "cat") === 0.5,
);
check(
  "“dog” and “mat” come a quarter of the time each",
  chance("the", "dog") === 0.25 && chance("the", "mat") === 0.25,
);
check(
  "after “.”, only “the” can come",
  new Set(followers(".")).size === 1 && chance(".", "the") === 1,
);
