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

check("half of the time “cat” follows “the”", chance("the", "cat") === 0.5);
check(
  "“dog” and “mat” share the other half",
  chance("the", "dog") === 0.25 && chance("the", "mat") === 0.25,
);
check(
  "and after “.” there is no choice",
  new Set(followers(".")).size === 1 && chance(".", "the") === 1,
);
